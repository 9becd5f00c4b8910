-- Package names differ between Debian's and Ubuntu's releases: the Makefile's lists
-- name alternatives, and spec/support/missing_packages.sh chooses by what apt knows.

local folders = require "spec.support.folders"
local process = require "spec.support.process"

describe("packages", function()
  local folder = folders.make()

  local function script(name, text)
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write("#!/bin/sh\n" .. text .. "\n")
    file:close()
    os.execute(("chmod +x '%s/%s'"):format(folder, name))
  end

  -- A system with these packages installed, and those that apt can install; apt also
  -- knows the name of one that it cannot.
  local function missing(system, packages)
    script("dpkg-query", ('case " %s " in *" $4 "*) echo "install ok installed" ;; *) exit 1 ;; esac'):format(system.installed))
    script("apt-cache", ('case " %s " in *" $2 "*) echo "  Candidate: 1.0" ;; *) echo "  Candidate: (none)" ;; esac')
      :format(system.available))
    return process.capture(("PATH='%s':$PATH sh spec/support/missing_packages.sh %s"):format(folder, packages))
  end

  for name, case in pairs {
    ["are those that are not installed"] = { { installed = "gcc", available = "gcc make git" }, "gcc make git", " make git" },
    ["are the first alternative, where apt has it"] = { { installed = "", available = "new old" }, "'new|old'", " new" },
    ["are the second, where apt has it alone"] = { { installed = "", available = "old" }, "'new|old' git", " old git" },
    ["are the first, also where the second is installed"] = { { installed = "old", available = "new old" }, "'new|old'", " new" },
    ["are none, where an alternative is installed and apt has no lists"] =
      { { installed = "old", available = "" }, "'new|old'", "" },
    ["are named where apt knows none of the alternatives"] = { { installed = "", available = "" }, "'new|old'", " old" },
  } do
    it(name, function()
      assert.equal(case[3], missing(case[1], case[2]))
    end)
  end
end)
