-- A fork while calls are under way: they stay the parent's, and the child's client
-- is as good as new.

local faults = require "spec.support.faults"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"

-- What it prints is read when it has ended; the child says what it found by its
-- exit status, and leaves as scripts do, by closing its state.
local SCRIPT = [[
local fork = require "spec_fork"
local client = require("connectly.safe").new {
  api_key = "k", business_id = "slow-300", base_url = %q, ca_file = %q, timeout = 10,
}
local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end
local mode, control = ...
local call, results
if mode == "courier" then
  call = assert(client:start("send_template", message("parent")))
  local server = control and require("spec.support.faults").at(tonumber(control))
  while server and server:tally().requests == 0 do
    assert(not call:done())
  end
else
  results = client:send_many({ message("first"), message("parent") }, { in_flight = 2 })
  assert(results().id)
end

local child = fork.fork()
if child == 0 then
  local code = 0
  if call then
    local id, err = call:wait(5)
    code = id == nil and err.kind == "closed" and err.outcome == "unknown" and code or 3
  end
  code = client:send_template(message("child")) and code or 4
  code = client:start("send_template", message("child too")):wait(5) and code or 5
  local grandchild = fork.fork()
  if grandchild == 0 then
    os.exit(client:send_template(message("grandchild")) and 0 or 6, true)
  end
  code = fork.wait(grandchild) == 0 and code or 7
  os.exit(code, true)
end

if call then
  assert(call:wait(5))
else
  assert(results().id)
end
local status = fork.wait(child)
assert(status == 0, "the child says " .. tostring(status))
assert(client:send_template(message("after")))
client:close()
]]

describe("a fork", function()
  local server

  -- AddressSanitizer does not survive a fork in the middle of an allocation of
  -- another thread's; with it the courier is to be at rest.
  local is_sanitized = os.getenv("ASAN_OPTIONS") ~= nil

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)

  for _, mode in ipairs { "inline", "courier" } do
    it("leaves the parent's calls alone, and the child may send: " .. mode, function()
      server:reset()
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(SCRIPT:format(server:url("https"), server.ca_file))
      file:close()
      local control = is_sanitized and server.ports.control or ""
      local is_fine = os.execute(("timeout 60 %s %s %s %s"):format(running, path, mode, control))
      os.remove(path)
      assert(is_fine == true or is_fine == 0)
      local accepted = server:tally().accepted
      for _, key in ipairs { "parent", "child", "child too", "grandchild", "after" } do
        assert.equal(1, accepted[key], key)
      end
    end)
  end
end)
