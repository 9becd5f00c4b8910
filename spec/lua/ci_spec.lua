-- The counts that CI ends with, and a machine on which no other Debian can be tested.

local folders = require "spec.support.folders"
local process = require "spec.support.process"

describe("CI", function()
  local folder = folders.make()

  -- .ci/run with a make whose targets print these lines and exit so.
  local function run_with(results)
    local file = assert(io.open(folder .. "/make", "w"))
    file:write("#!/bin/sh\ncase $1 in\n")
    for target, result in pairs(results) do
      file:write(("%s) echo some output; echo '%s'; exit %d ;;\n"):format(target, result[1], result[2]))
    end
    file:write("esac\n")
    file:close()
    os.execute(("chmod +x '%s/make'"):format(folder))
    local output, status = process.run(("PATH='%s':$PATH .ci/run"):format(folder))
    return output:match("([^\n]*)\n$"), status
  end

  local function targets(test, debian, lint)
    return { test = test, ["test-debian"] = debian, lint = lint }
  end

  local passing = { "trixie: 5 passed, 0 failed", 0 }

  for name, case in pairs {
    ["adds both up"] = { targets({ "9 passed, 0 failed", 0 }, passing), "14 passed, 0 failed", 0 },
    ["fails when the other Debian fails"] =
      { targets({ "9 passed, 0 failed", 0 }, { "trixie: 5 passed, 2 failed", 1 }), "14 passed, 2 failed", 1 },
    ["goes on where the other Debian cannot be had"] =
      { targets({ "9 passed, 1 failed", 1 }, { "trixie: nothing is tested", 0 }), "9 passed, 1 failed", 1 },
    ["counts one for tests that end before they have counted"] =
      { targets({ "compilation failed", 2 }, passing), "5 passed, 1 failed", 1 },
    ["fails when lint fails"] =
      { targets({ "9 passed, 0 failed", 0 }, passing, { "a warning", 1 }), "14 passed, 0 failed", 1 },
  } do
    it(name, function()
      local last, status = run_with(case[1])
      assert.equal(case[2], last)
      assert.equal(case[3], status)
    end)
  end

  it("says in one line that a Debian cannot be had, and does not fail", function()
    local output, status = process.run("make --no-print-directory test-debian SUITE=nosuch")
    assert.truthy(output:find("^nosuch: nothing is tested, no tree can be had: [^\n]+\n$"), output)
    assert.equal(0, status)
  end)
end)
