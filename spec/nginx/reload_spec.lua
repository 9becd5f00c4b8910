-- An nginx that is told again and again to read its configuration anew, under load:
-- each message arrives exactly once, and nothing stays behind. The long form is
-- spec/bench/nginx_soak.lua.

local nginx_api = require "spec.bench.nginx_api"
local reloads = require "spec.bench.nginx_reloads"
local process = require "spec.support.process"

local COUNT, AT_ONCE, INTERVAL, DELAY = 2000, 10, 0.3, 0.02

describe("nginx, reloaded under load", function()
  local folder, api, run

  setup(function()
    folder = process.capture("mktemp -d"):match("^%S+")
    assert(os.execute(("mkdir %s/api %s/sockets"):format(folder, folder)))
    api = nginx_api.start(folder .. "/api", DELAY)
  end)
  teardown(function()
    if run then
      run:stop()
    end
    api:stop()
    os.execute("rm -rf " .. folder)
  end)

  --- The most of something that any worker had.
  local function most(kind)
    local found = 0
    for _, sample in ipairs(run.samples) do
      for _, worker in ipairs(sample.workers) do
        found = math.max(found, worker[kind])
      end
    end
    return found
  end

  it("sends each message exactly once, tells nobody of an error, and leaves nothing behind", function()
    run = reloads.start(api, folder .. "/sockets")
    run:run(COUNT, AT_ONCE, INTERVAL)
    local problems = run:finish()
    assert(#problems == 0, table.concat(problems, "\n"))
    assert.equal(COUNT, run.waited + run.logged)
    assert(run.reloads >= 3, "reloads: " .. run.reloads)
    assert(most "threads" <= 3, "threads: " .. most "threads") -- one more while a name is resolved
    assert(most "descriptors" <= 50, "descriptors: " .. most "descriptors")
  end)
end)
