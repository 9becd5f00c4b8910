-- Messages whose metamethods, and finalizers that come in between, use or close the
-- client that is reading them. What it does to memory, `make asan` sees.

local faults = require "spec.support.faults"
local safe = require "connectly.safe"
local native = require "connectly.loader"
local json = require "connectly.json"

local NUMBER = "+14155550123"
local SENDER = "+14155550100"

local function new_client(url)
  return assert(safe.new {
    api_key = "key", business_id = "ok", base_url = url or "http://127.0.0.1:9", sender = SENDER, timeout = 1,
    max_attempts = 1,
  })
end

--- An entry whose campaign's name is found by an action.
local function computed(number, action)
  return setmetatable({ number = number }, {
    __index = function(_, key)
      if key == "campaign_name" then
        action()
        return "w"
      end
    end,
  })
end

local function entries(count)
  local list = {}
  for index = 1, count do
    list[index] = { number = ("+1415555%04d"):format(index), campaign_name = "w" }
  end
  return list
end

--- Calls an action at some collection to come.
local function arm(action)
  if not rawget(_G, "newproxy") then
    setmetatable({}, { __gc = action })
    return
  end
  getmetatable(newproxy(true)).__gc = action -- luacheck: ignore 113
end

--- Calls an action at the collection that is `count` collections away.
local function arm_at(count, action)
  arm(function()
    if count <= 1 then
      return action()
    end
    arm_at(count - 1, action)
  end)
end

--- Runs an action while the collector goes round as fast as it can.
local function hasten_collector(action)
  local pause, multiplier = collectgarbage("setpause", 1), collectgarbage("setstepmul", 1000)
  local has_steps = not rawget(_G, "jit")
  if has_steps then
    collectgarbage("incremental", 0, 1000, 1) -- a step at each allocation
  end
  local is_fine, problem = pcall(action)
  if has_steps then
    collectgarbage("incremental", 0, 0, 13)
  end
  collectgarbage("setpause", pause)
  collectgarbage("setstepmul", multiplier)
  assert(is_fine, problem)
end

describe("a message", function()
  it("that closes the client while it is read sends nothing", function()
    for _, send in ipairs {
      function(client, message) return client:send_campaigns(message) end,
      function(client, message) return client:start("send_campaigns", message) end,
      function(client, message) return client:dry_run("send_campaigns", message) end,
    } do
      local client = new_client()
      local entry = computed(NUMBER, function()
        client:close(0)
        collectgarbage()
      end)
      local value, err = send(client, { entries = { entry, entries(1)[1] } })
      assert.is_nil(value)
      assert.equal("not_sent", err.outcome)
    end
  end)

  it("that reads other messages meanwhile is refused", function()
    local client, turn = new_client(), 0
    local others = {
      function() client:dry_run("send_campaigns", { entries = entries(1000) }) end,
      function() client:dry_run("send_session", { number = NUMBER, text = "a" }) end,
      function()
        client:dry_run("send_template", { number = NUMBER, template_name = "a", language = "en", body = { "a", "b" } })
      end,
    }
    local list = {}
    for index = 1, 30 do
      list[index] = computed(("+141555501%02d"):format(index), function()
        turn = turn % #others + 1
        others[turn]()
      end)
    end
    for size = 1, 9, 4 do
      local result, err = client:send_campaigns({ entries = list }, { chunk_size = size })
      assert.is_nil(result)
      assert.same({ "argument", "not_sent" }, { err.kind, err.outcome })
    end
    client:close(0)
  end)

  --- Parameters without an order of their own, long enough that their places lie outside
  --- of a short message.
  local function parameters(value)
    return {
      { name = "var_d", value = value, raw = true }, { name = "body_2", value = value },
      { name = "var_c", value = value, raw = true }, { name = "var_b", value = value, raw = true },
      { name = "body_1", value = value }, { name = "var_a", value = value, raw = true },
    }
  end

  local function template(list)
    return { number = NUMBER, template_name = "t", language = "en", parameters = list }
  end

  it("of a template that sends another one is refused", function()
    local long = template(parameters(("y"):rep(4000)))
    for _, use in ipairs {
      function(client) client:post("send_template", long) end,
      function(client) client:send_template(long) end,
      function(client) client:send_session { number = NUMBER, text = "x" } end,
      function(client) client:dry_run("send_template", { unknown = 1 }) end,
      function(client) client:close(0) end,
    } do
      for at = 1, 6 do
        local client, list = new_client(), parameters(7)
        list[at].value = nil
        setmetatable(list[at], { __index = function(_, key)
          if key == "value" then
            use(client)
            return 12345
          end
        end })
        local id, err = client:send_template(template(list))
        assert.is_nil(id)
        assert.same({ "argument", "not_sent" }, { err.kind, err.outcome })
        assert.is_nil(err.problems)
        client:close(0)
      end
    end
  end)

  --- Read in the midst of another one it is refused; else it is right.
  local function check(value, err, is_right)
    local is_refused = value == nil and err.outcome == "not_sent" and err.message:find("while the message was read", 1, true)
    return is_refused or is_right(value, err)
  end

  local function is_body(body)
    return body and body:find('^{"entries":%[{"client"') and body:find("%]}$")
  end

  local function is_fault(value, err)
    return value == nil and err.kind == "argument" and err.param == "entries[1].number"
  end

  it("is what it is, whatever finalizers read meanwhile", function()
    local client, list, size = new_client(), entries(50), 1000
    local pause, multiplier = collectgarbage("setpause", 1), collectgarbage("setstepmul", 1000)
    local right = 0
    for _ = 1, 500 do
      arm(function()
        size = size < 400000 and math.floor(size * 1.3) or 1000
        client:dry_run("request", { method = "POST", path = "/x", body = '"' .. ("y"):rep(size) .. '"' })
        client:dry_run("send_template", { unknown = 1, [("q"):rep(200)] = 1 })
      end)
      local body, problem = client:dry_run("send_campaigns", { entries = list })
      local value, err = client:dry_run("send_campaigns", { entries = { {}, { x = 1, zzz = 3 } } })
      right = right + (check(body, problem, is_body) and check(value, err, is_fault) and 1 or 0)
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", multiplier)
    client:close(0)
    assert.equal(500, right)
  end)

  it("of a template is what it is, whatever finalizers send meanwhile", function()
    local client = new_client()
    local long, numbers = template(parameters(("y"):rep(4000))), template(parameters(1234567))
    local expected = assert(client:dry_run("send_template", numbers))
    local wrong = 0
    hasten_collector(function()
      for turn = 1, 300 do
        arm_at(turn % 40, function() client:post("send_template", long) end)
        for index, item in ipairs(numbers.parameters) do
          item.value = turn * 10000 + index -- a number that Lua has made no text of yet
        end
        local body, err = client:dry_run("send_template", numbers)
        local is_right = check(body, err, function(text) return text and #text > #expected - 60 and text:find("%]}$") end)
        wrong = wrong + (is_right and 0 or 1)
      end
    end)
    client:close(0)
    assert.equal(0, wrong)
  end)
end)

describe("a result", function()
  it("is read to its end, whatever finalizers do to the client meanwhile", function()
    local wrong = 0
    hasten_collector(function()
      for turn = 1, 200 do
        local client = new_client()
        local call = client:start("send_session", { number = NUMBER, text = "x" })
        arm_at(turn % 50, function()
          client:dry_run("send_session", { number = NUMBER, text = "x" })
          client:send_session {}
          client:close(0)
        end)
        local _, err = call:wait()
        wrong = wrong + (err and err.outcome and 0 or 1)
        client:close(0)
      end
    end)
    assert.equal(0, wrong)
  end)
end)

describe("what was encoded", function()
  local server

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)

  it("is read to its end, whatever finalizers read meanwhile", function()
    local client, wrong = new_client(server:url("http")), {}
    hasten_collector(function()
      for turn = 1, 400 do
        local call = client:start("send_session", { number = NUMBER, text = "x" })
        while not call:done() do
          client:stats()
        end
        arm_at(turn % 20, function()
          call:wait()
          client:dry_run("request", { method = "GET", path = "/" .. ("z"):rep(1000) })
        end)
        local body, info = client:dry_run("send_session", { number = NUMBER, text = "y" })
        if body and (info.path ~= "/send/messages" or info.method ~= "POST" or not body:find('"y"', 1, true)) then
          wrong[#wrong + 1] = info.method .. " " .. info.path:sub(1, 20) .. " " .. body
        end
      end
    end)
    client:close(0)
    assert.same({}, wrong)
  end)
end)

describe("a batch", function()
  it("is one that was encoded, or is refused", function()
    local handle = native.new({ api_key = "key", business_id = "b", base_url = "http://127.0.0.1:9" }, json.encode, false, false)
    local body, _, _, batch = handle:encode("send_campaigns", { entries = entries(2) })
    assert.same({ entries = 2, sendouts = 1, traceparent = "" }, batch)
    for name, value in pairs { entries = -1, sendouts = 3, traceparent = "x\r\nX-API-Key: y" } do
      local given = { entries = 2, sendouts = 1, traceparent = "" }
      given[name] = value
      local ticket, err = handle:submit_batch("send_campaigns", body, given)
      assert.is_nil(ticket)
      assert.equal("not_sent", err.outcome)
    end
    assert.has_error(function() handle:submit_batch("send_template", body, batch) end)
    assert.has_error(function() handle:submit_batch("send_campaigns", body, {}) end)
    handle:close(0)
    assert.equal("closed", select(2, handle:submit_batch("send_campaigns", body, batch)).kind)
  end)
end)
