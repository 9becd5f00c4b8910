-- client:wait_delivery in each event loop, and where there is none.

local connectly = require "connectly"
local safe = require "connectly.safe"
local loops = require "spec.support.loops"
local webhook = require "connectly.webhook"
local clock = require("connectly.loader").clock

local MODULES = { blocking = "connectly", copas = "copas", cqueues = "cqueues", luv = "luv" }

local hook = webhook.new { secret = "example-secret" }

local function event(id, status, more)
  return hook:parse(('{"timestamp":"1700000000","statusUpdate":{"id":"%s","status":"%s"%s}}'):format(id, status, more or ""))
end

local FAILED = ',"error":{"message":"Internal server error","code":"ERROR_CODE_UNSPECIFIED","cntTraceId":"15555555555555555555"}'

local function new(store, changes, face)
  local options = { api_key = "k", business_id = "b", base_url = "http://127.0.0.1:1", status_store = store }
  for name, value in pairs(changes or {}) do
    options[name] = value
  end
  return assert((face or safe).new(options))
end

local function contract(name)
  local loop, store, client

  setup(function() loop = loops[name]() end)
  before_each(function()
    store = webhook.status_store()
    client = loop.attach(new(store))
  end)

  --- Feeds the store from another coroutine of the loop, some time apart.
  local function feed(id, ...)
    local statuses = { ... }
    loop.spawn(function()
      for _, status in ipairs(statuses) do
        loop.sleep(0.02)
        store:put(event(id, status, status == "delivery_failed" and FAILED or nil))
      end
    end)
  end

  it("returns at once what is known already", function()
    loop.run(function()
      store:put(event("a", "read"))
      local status, known = client:wait_delivery("a", 10)
      assert.equal("read", status)
      assert.equal(1700000000, known.timestamp)
      assert.equal("read", (client:wait_delivery("a", 0)))
    end)
  end)

  it("returns at once a failure that is known already", function()
    loop.run(function()
      store:put(event("a", "delivery_failed", FAILED))
      local status, err = client:wait_delivery("a", 10)
      assert.is_nil(status)
      assert.is_true(connectly.is_error(err))
      assert.equal("ERROR_CODE_UNSPECIFIED", err.code)
      store:put(event("b", "delivery_failed"))
      status, err = client:wait_delivery("b", 10, { until_status = "sent" })
      assert.is_nil(status)
      assert.equal("rejected", err.kind)
      assert.equal("rejected", err.outcome)
      assert.truthy(tostring(err):find("gives no reason", 1, true))
    end)
  end)

  it("raises in the face that raises", function()
    loop.run(function()
      local raising = loop.attach(new(store, nil, connectly))
      store:put(event("a", "delivery_failed", FAILED))
      local is_fine, err = pcall(function() raising:wait_delivery("a", 10) end)
      assert.is_false(is_fine)
      assert.equal("15555555555555555555", err.trace_id)
      store:put(event("b", "read"))
      assert.equal("read", (raising:wait_delivery("b", 10)))
    end)
  end)

  it("looks, and says what is known, when it has no time", function()
    loop.run(function()
      local status, err = client:wait_delivery("a", 0)
      assert.is_nil(status)
      assert.equal("timeout", err.kind)
      assert.equal("unknown", err.outcome)
      assert.is_false(err.retryable)
      assert.is_nil(err.delivery)
      store:put(event("a", "delivered"))
      status, err = client:wait_delivery("a", 0)
      assert.is_nil(status)
      assert.equal("delivered", err.delivery.status)
      assert.truthy(tostring(err):find("the message is delivered, and not read", 1, true), tostring(err))
      assert.truthy(err.hint:find("read receipts", 1, true))
      store:put(event("c", "sent"))
      status, err = client:wait_delivery("c", 0)
      assert.is_nil(status)
      assert.truthy(err.hint:find("do not send it again", 1, true))
      store:put(event("b", "canary\\n"))
      status, err = client:wait_delivery("b", 0)
      assert.is_nil(status)
      assert.equal("canary\n", err.delivery.status)
      assert.is_nil(tostring(err):find("canary", 1, true))
    end)
  end)

  if name == "blocking" then
    it("says that nothing can feed the store, instead of sleeping", function()
      local from = clock()
      for _, face in ipairs { safe, connectly } do
        local blocked = new(store, nil, face)
        assert.error_matches(function() blocked:wait_delivery("a", 5) end, "nothing can feed the status store while")
      end
      assert(clock() - from < 1)
    end)

    it("asks a store that others can feed again and again", function()
      local asked, from = 0, clock()
      local theirs = { interval = 0.05, get = function(_, id)
        asked = asked + 1
        return asked > 4 and { status = "read", id = id } or asked > 2 and { status = "sent" } or nil
      end }
      local status, known = new(theirs):wait_delivery("a", 10)
      assert.equal("read", status)
      assert.equal("a", known.id)
      assert.equal(5, asked)
      assert(clock() - from >= 0.2 and clock() - from < 5)
    end)

    it("ends in time where it blocks", function()
      local from = clock()
      local _, err = new({ interval = 60, get = function() end }):wait_delivery("a", 0.25)
      assert.equal("timeout", err.kind)
      assert.equal("no webhook told of the message in 0.25 s", err.message)
      assert(clock() - from >= 0.25 and clock() - from < 5)
    end)
    return
  end

  it("gives way until the message is read", function()
    local ticks, is_done = 0, false
    loop.run(function()
      feed("a", "sent", "sent", "delivered", "sent", "read")
      local status, known = client:wait_delivery("a", 10)
      is_done = true
      assert.equal("read", status)
      assert.equal("read", known.status)
    end, function()
      while not is_done do
        loop.sleep(0.005)
        ticks = ticks + 1
      end
    end)
    assert(ticks >= 5, "ticks meanwhile: " .. ticks)
  end)

  it("waits for less when it is told to", function()
    loop.run(function()
      feed("a", "sent", "delivered", "read")
      assert.equal("sent", (client:wait_delivery("a", 10, { until_status = "sent" })))
      assert.equal("delivered", (client:wait_delivery("a", 10, { until_status = "delivered" })))
      assert.equal("delivered", (client:wait_delivery("a", 10, { until_status = "sent" })))
      assert.equal("read", (client:wait_delivery("a", 10)))
    end)
  end)

  it("ends with the failure of a delivery", function()
    loop.run(function()
      feed("a", "sent", "delivery_failed")
      local status, err = client:wait_delivery("a", 10)
      assert.is_nil(status)
      assert.equal("ERROR_CODE_UNSPECIFIED", err.code)
    end)
  end)

  it("ends in time, with what is known, and can be asked again", function()
    loop.run(function()
      feed("a", "sent", "delivered")
      local from = clock()
      local status, err = client:wait_delivery("a", 0.15)
      assert.is_nil(status)
      assert(clock() - from >= 0.15 and clock() - from < 5)
      assert.equal("timeout", err.kind)
      assert.equal("delivered", err.delivery.status)
      feed("a", "read")
      assert.equal("read", (client:wait_delivery("a", 10)))
    end)
  end)

  it("lets many wait, for the same message and for others", function()
    local bodies, ended = {}, 0
    for index = 1, 60 do
      bodies[index] = function()
        local id = "m" .. index % 20
        if index <= 20 then
          feed(id, "sent", "delivered", "read")
        end
        assert.equal("read", (client:wait_delivery(id, 10)))
        ended = ended + 1
      end
    end
    loop.run((unpack or table.unpack)(bodies)) -- luacheck: ignore 113
    assert.equal(60, ended)
  end)

  it("asks a store that says nothing again and again", function()
    local asked = 0
    local theirs = { interval = 0.02, get = function()
      asked = asked + 1
      return asked > 3 and { status = "read" } or nil
    end }
    loop.run(function()
      assert.equal("read", (loop.attach(new(theirs)):wait_delivery("a", 10)))
    end)
    assert.equal(4, asked)
  end)

  it("takes the client's timeout for its own", function()
    loop.run(function()
      local from = clock()
      local _, err = loop.attach(new(store, { timeout = 0.1 })):wait_delivery("a")
      assert.equal("timeout", err.kind)
      assert(clock() - from >= 0.1 and clock() - from < 5)
    end)
  end)
end

for name, module in pairs(MODULES) do
  describe("wait_delivery, in " .. name, function()
    if pcall(require, module) then
      contract(name)
    else
      pending("needs " .. module)
    end
  end)
end

describe("wait_delivery", function()
  local client

  before_each(function() client = new(webhook.status_store()) end)

  local misuses = {
    { "id: what the send call returned expected, got nil" }, { "id: .* expected, got table", {} },
    { "id: .* expected, got an empty string", "" },
    { "timeout: seconds from 0 to 86400 expected", "a", "5" }, { "timeout: seconds", "a", -1 },
    { "timeout: seconds", "a", 86401 }, { "timeout: seconds", "a", 0 / 0 },
    { "options: table expected, got string", "a", 1, "read" },
    { "options: only `until_status` is known", "a", 1, { status = "read" } },
    { 'until_status: "sent", "delivered" or "read" expected', "a", 1, { until_status = "canary" } },
    { "until_status", "a", 1, { until_status = "delivery_failed" } }, { "until_status", "a", 1, { until_status = {} } },
  }
  for _, case in ipairs(misuses) do
    it("is called in the right way, or that is an error: " .. case[1], function()
      for _, face in ipairs { safe, connectly } do
        local other = new(webhook.status_store(), nil, face)
        local is_fine, problem = pcall(function() other:wait_delivery(case[2], case[3], case[4]) end)
        assert.is_false(is_fine)
        assert.truthy(problem:find("wait_delivery_spec.lua:%d+: connectly: wait_delivery: " .. case[1]), problem)
        assert.is_nil(problem:find("canary", 1, true))
      end
    end)
  end

  it("needs a store", function()
    local status, err = new(nil):wait_delivery("a", 1)
    assert.is_nil(status)
    assert.equal("config", err.kind)
    assert.equal("status_store", err.param)
  end)

  it("works after the client was closed", function()
    local store = webhook.status_store()
    store:put(event("a", "read"))
    client = new(store)
    client:close()
    assert.equal("read", (client:wait_delivery("a", 1)))
  end)

  for _, wrong in ipairs { 5, "store", {}, { get = 5, interval = 1 }, { get = print }, { get = print, interval = 0 } } do
    it("refuses a store that is none: " .. type(wrong), function()
      local made, err = safe.new { api_key = "k", business_id = "b", status_store = wrong }
      assert.is_nil(made)
      assert.equal("config", err.kind)
      assert.equal("status_store", err.param)
    end)
  end
end)
