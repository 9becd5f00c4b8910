-- A fork while calls are under way: they stay the parent's, and the child's client
-- is as good as new.

local faults = require "spec.support.faults"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"

-- What every script begins with; it names a behaviour of the fault server.
local PROLOGUE = [[
local fork = require "spec_fork"
local client = require("connectly.safe").new {
  api_key = "k", business_id = %q, base_url = %q, ca_file = %q, timeout = 10,
}
local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end
]]

-- What it prints is read when it has ended; the child says what it found by its
-- exit status, and leaves as scripts do, by closing its state.
local SCRIPT = [[
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

-- A fork in the body of a send_many loop; what the child does then is its first
-- argument, whether a thread carries the calls its second.
local IN_A_LOOP = [[
local manner, mode = ...
if mode == "courier" then
  assert(client:start("send_template", message("first")):wait(5))
end
local list, seen, child = {}, 0, nil
for index = 1, 6 do list[index] = message("m" .. index) end
for result in client:send_many(list, { in_flight = 3 }) do
  seen = seen + 1
  child = child or fork.fork()
  if child == 0 and manner == "exit" then
    os.exit(0, true)
  elseif child == 0 and manner == "break" then
    break
  elseif child == 0 then
    -- Those of the parent nobody can tell of here; and nobody else's result is taken for theirs.
    local is_parents = result.error and result.error.kind == "closed" and result.error.outcome == "unknown"
    assert(result.id or is_parents, tostring(result.error))
    list[result.index].was = (list[result.index].was or 0) + 1
    assert(list[result.index].was == 1)
  else
    assert(result.id, tostring(result.error))
  end
end
if child == 0 then
  assert(manner == "break" or seen == 6, seen)
  os.exit(0, true)
end
assert(seen == 6)
assert(fork.wait(child) == 0)
]]

-- A process of its own for each moment of its first connection, while OpenSSL holds locks
-- that no thread of the child would give back.
local WHILE_CONNECTING = [[
local call = assert(client:start("send_template", message("parent")))
local from, sum = os.clock(), 0
while os.clock() - from < tonumber((...)) do sum = sum + 1 end
local child = fork.fork()
if child == 0 then
  os.exit(client:send_template(message("child")) and 0 or 1, true)
end
assert(call:wait(5))
assert(fork.wait(child) == 0)
client:close()
]]

describe("a fork", function()
  local server

  -- AddressSanitizer does not survive a fork in the middle of an allocation of
  -- another thread's; with it the courier is to be at rest.
  local is_sanitized = os.getenv("ASAN_OPTIONS") ~= nil

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)

  local function run(behaviour, script, ...)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(PROLOGUE:format(behaviour, server:url("https"), server.ca_file), script)
    file:close()
    local is_fine = os.execute(("timeout 30 %s %s %s"):format(running, path, table.concat({ ... }, " ")))
    os.remove(path)
    return is_fine == true or is_fine == 0
  end

  if not is_sanitized then
    it("waits until the worker is out of OpenSSL", function()
      server:reset()
      local count = 30
      for moment = 1, count do
        assert(run("ok", WHILE_CONNECTING, moment * 0.0001), moment)
      end
      local accepted = server:tally().accepted
      assert.equal(count, accepted["parent"])
      assert.equal(count, accepted["child"])
    end)
  end

  for _, mode in ipairs { "inline", "courier" } do
    for _, manner in ipairs { "exit", "break", "go on" } do
      it(("in a loop of send_many does not keep the child: %s, %s"):format(manner, mode), function()
        server:reset()
        assert(run("slow-100", IN_A_LOOP, ("%q"):format(manner), mode))
        local accepted = server:tally().accepted
        for index = 1, 6 do
          local most = (manner == "go on" and index > 3) and 2 or 1 -- both go on with the list
          assert(accepted["m" .. index] >= 1 and accepted["m" .. index] <= most, index .. ": " .. accepted["m" .. index])
        end
      end)
    end

    it("leaves the parent's calls alone, and the child may send: " .. mode, function()
      server:reset()
      assert(run("slow-1500", SCRIPT, mode, is_sanitized and server.ports.control or nil))
      local accepted = server:tally().accepted
      for _, key in ipairs { "parent", "child", "child too", "grandchild", "after" } do
        assert.equal(1, accepted[key], key)
      end
    end)
  end
end)
