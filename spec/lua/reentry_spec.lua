-- Messages whose metamethods, and finalizers that come in between, use or close the
-- client that is reading them. What it does to memory, `make asan` sees.

local safe = require "connectly.safe"
local native = require "connectly.loader"
local json = require "connectly.json"

local NUMBER = "+14155550123"
local SENDER = "+14155550100"

local function new_client()
  return assert(safe.new {
    api_key = "key", business_id = "b", base_url = "http://127.0.0.1:9", sender = SENDER, timeout = 1,
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
