-- A client that is dropped with calls under way: the collector waits for nothing, the
-- calls go on, and what could not end in time is told.

local cqueues = require "cqueues"
local faults = require "spec.support.faults"
local process = require "spec.support.process"
local safe = require "connectly.safe"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"

-- Enough for a machine that is busy with other things.
local PATIENCE = 20

local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end

local function wait_until(question, what)
  local deadline = cqueues.monotime() + PATIENCE
  while not question() do
    assert(cqueues.monotime() < deadline, what)
    cqueues.sleep(0.02)
  end
end

local function collect()
  local from = cqueues.monotime()
  collectgarbage()
  collectgarbage()
  return cqueues.monotime() - from
end

--- Threads of this process: also those that clients of other specs have left, which end by themselves.
local function threads()
  local count = 0
  for line in io.lines("/proc/self/status") do
    count = tonumber(line:match("^Threads:%s*(%d+)")) or count
  end
  return count
end

-- What each script begins with; `collect` gives the seconds it took.
local HEAD = [[
local server = require("spec.support.faults").at(%d)
local clock = require("connectly.loader").clock
local function new(behaviour, changes)
  local options = { api_key = "k", business_id = behaviour, base_url = %q, ca_file = %q, timeout = 20 }
  for name, value in pairs(changes or {}) do options[name] = value end
  return require("connectly").new(options)
end
local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end
local function arrived(count)
  while server:tally().requests < count do end
end
local function collect()
  local from = clock()
  collectgarbage()
  collectgarbage()
  return clock() - from
end
]]

describe("a client that is dropped", function()
  local server = faults.serve()

  local function new(behaviour, changes)
    local options = {
      api_key = "k", business_id = behaviour, base_url = server:url("https"), ca_file = server.ca_file, timeout = 20,
    }
    for name, value in pairs(changes or {}) do
      options[name] = value
    end
    return assert(safe.new(options))
  end

  --- Its exit status must be 0; what it said on stderr, and the seconds it took.
  local function run(script)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(HEAD:format(server.ports.control, server:url("https"), server.ca_file), script)
    file:close()
    local from = cqueues.monotime()
    local said = process.capture(("timeout 30 %s %s 2>&1 >/dev/null || echo failed"):format(running, path))
    os.remove(path)
    return said, cqueues.monotime() - from
  end

  it("does not keep the collector, and its calls go on", function()
    local client = new("slow-3000")
    for index = 1, 3 do
      assert(client:post("send_template", message("m" .. index)))
    end
    wait_until(function() return server:tally().requests == 3 end, "no request")
    client = nil -- luacheck: ignore 311
    local from = cqueues.monotime()
    assert(collect() < 1)
    wait_until(function() return server:tally().open == 0 end, "connections stay")
    assert(cqueues.monotime() - from > 2, "they were ended before their answers came")
    for index = 1, 3 do
      assert.equal(1, server:tally().accepted["m" .. index])
    end
  end)

  it("that had its answers leaves neither thread nor connection", function()
    local before = threads()
    for _ = 1, 20 do
      assert(new("ok"):start("send_template", message("m")):wait(10))
    end
    collect()
    wait_until(function() return threads() <= before and server:tally().open == 0 end, "threads or connections stay")
  end)

  it("is one of many: all of them deliver, and none of them stays", function()
    local before = threads()
    for index = 1, 40 do
      assert(new("slow-300"):post("send_template", message("m" .. index)))
      assert(collect() < 1)
    end
    wait_until(function() return threads() <= before end, "threads stay")
    for index = 1, 40 do
      assert.equal(1, server:tally().accepted["m" .. index])
    end
  end)

  --- What each native method answers.
  local function ask(handle, ticket)
    local _, refusal = handle:submit("send_template", message("late"))
    local _, gone = handle:result(ticket)
    local _, unwritten = handle:encode("send_template", message("late"))
    local _, unstarted = handle:background()
    handle:step(0, ticket)
    handle:cancel(ticket)
    handle:detach(ticket)
    handle:detach_group(0)
    handle:forget(ticket)
    handle:acknowledge()
    handle:give_permit(0)
    handle:hurry()
    return {
      submit = refusal.kind, result = gone.kind .. " " .. gone.outcome, encode = unwritten.kind,
      background = unstarted.kind, is_closed = handle:is_closed(), is_done = handle:is_done(ticket),
      has_room = handle:has_room(), in_flight = handle:stats().in_flight, take_done = handle:take_done() or "none",
      next_ended = handle:next_ended() or "none", descriptor = handle:descriptor() or "none",
      next_event = handle:next_event() or "none", wanted = (handle:permits_wanted()), drain = handle:drain(1),
      close = handle:close(1), listen = (pcall(handle.listen, handle)), text = tostring(handle),
    }
  end

  -- At the end of a state other finalizers run after the client's.
  it("is a closed one to those who still have it", function()
    local handle = assert(require("connectly.loader").new({
      api_key = "k", business_id = "slow-500", base_url = server:url("https"), ca_file = server.ca_file,
    }, function(value) return ("%q"):format(value) end))
    assert(handle:background())
    local anchor = handle:anchor()
    local ticket = assert(handle:submit("send_template", message("kept"), nil, anchor))
    debug.getmetatable(handle).__gc(handle)
    local closed = {
      submit = "closed", result = "closed unknown", encode = "closed", background = "closed", is_closed = true,
      is_done = true, has_room = true, in_flight = 0, take_done = "none", next_ended = "none", descriptor = "none",
      next_event = "none", wanted = 0, drain = 0, close = 0, listen = false, text = "connectly.native.client (closed)",
    }
    assert.same(closed, ask(handle, ticket))
    debug.getmetatable(anchor).__gc(anchor)
    debug.getmetatable(handle).__gc(handle)
    assert.same(closed, ask(handle, ticket))
    wait_until(function() return server:tally().requests == 1 and server:tally().open == 0 end, "it was not sent")
    assert.equal(1, server:tally().accepted.kept)
  end)

  it("delivers though the script ends", function()
    local said, took = run [[
      local client = new "slow-1500"
      client:post("send_template", message "dropped")
      client = nil
      assert(collect() < 1)
    ]]
    assert.equal("", said)
    assert(took > 1.4, "the answer was not waited for")
    assert.equal(1, server:tally().accepted.dropped)
  end)

  for ending, code in pairs {
    ["its end"] = "", ["os.exit"] = "os.exit(0)", ["os.exit that closes the state"] = "os.exit(0, true)",
  } do
    it("or is not dropped at all, delivers what was posted: a script that ends by " .. ending, function()
      local said = run([[
        local client, other = new "slow-1500", new "slow-1500"
        for index = 1, 3 do client:post("send_template", message("m" .. index)) end
        other:post("send_template", message "other")
        other = nil
        assert(collect() < 1)
        new("slow-1500"):post("send_template", message "unkept")
      ]] .. code)
      assert.equal("", said)
      for _, key in ipairs { "m1", "m2", "m3", "other", "unkept" } do
        assert.equal(1, server:tally().accepted[key], key)
      end
    end)
  end

  it("tells how many calls it had to end", function()
    local said, took = run [[
      local client = new("silence-after-request")
      client:post("send_template", message "a")
      client:post("send_template", message "b")
      arrived(2)
      client = nil
      assert(collect() < 1)
    ]]
    assert.equal("connectly: a client was collected with 2 calls under way; they may have arrived\n", said)
    assert(took > 4 and took < 15, took)
    assert.equal(2, server:tally().requests)
  end)

  -- Ten seconds would be what two of them take one after the other.
  it("and others, all at once, have the same few seconds to end", function()
    local said, took = run [[
      for index = 1, 4 do
        new("silence-after-request"):post("send_template", message("m" .. index))
      end
      arrived(4)
    ]]
    assert.equal(4, select(2, said:gsub("a client was collected with 1 calls under way; they may have arrived\n", "")))
    assert(took > 4 and took < 10, took)
  end)

  it("or is kept: at os.exit several have the same few seconds, too", function()
    local said, took = run [[
      local kept = {}
      for index = 1, 4 do
        kept[index] = new "silence-after-request"
        kept[index]:post("send_template", message("m" .. index))
      end
      arrived(4)
      os.exit(0)
    ]]
    assert.equal("connectly: the program ended with 4 calls under way; they may have arrived\n", said)
    assert(took > 4 and took < 10, took)
  end)

  it("has no longer than a call may take", function()
    local said, took = run [[
      local client = new("silence-after-request", { timeout = 1 })
      client:post("send_template", message "a")
      arrived(1)
      client = nil
      assert(collect() < 1)
    ]]
    assert(said == "" or said:find("collected with 1 calls", 1, true), said) -- both end after a second
    assert(took < 4, took)
  end)

  it("is the parent's after a fork, and keeps no child", function()
    local said = run [[
      local fork = require "spec_fork"
      local client = new "slow-2000"
      client:post("send_template", message "parent")
      client = nil
      arrived(1)
      assert(collect() < 1)
      local child = fork.fork()
      if child == 0 then
        local from, own = clock(), new "ok"
        assert(own:send_template(message "child"))
        assert(own:start("send_template", message "child too"):wait(5))
        own:post("send_template", message "child's last")
        own = nil
        assert(collect() < 1 and clock() - from < 1.5)
        os.exit(0, true)
      end
      assert(fork.wait(child) == 0)
    ]]
    assert.equal("", said)
    for _, key in ipairs { "parent", "child", "child too", "child's last" } do
      assert.equal(1, server:tally().accepted[key], key)
    end
  end)
end)
