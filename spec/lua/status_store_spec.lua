-- A store of what became of messages, in the memory of one process; in nginx's, see
-- spec/nginx/status_store_spec.lua.

local connectly = require "connectly"
local webhook = require "connectly.webhook"

local hook = webhook.new { secret = "example-secret" }

--- An event as a webhook gives it.
local function event(id, status, more)
  return hook:parse(('{"timestamp":"%d","statusUpdate":{"id":"%s","status":"%s"%s}%s}'):format(
    more and more.timestamp or 1700000000, id, status, more and more.update or "", more and more.body or ""))
end

local function status_after(statuses, store)
  store = store or webhook.status_store()
  for _, status in ipairs(statuses) do
    store:put(event("a", status))
  end
  return store:get("a").status
end

--- Calls `visit` with each order of the list.
local function permute(list, visit, from)
  from = from or 1
  if from > #list then
    return visit(list)
  end
  for index = from, #list do
    list[from], list[index] = list[index], list[from]
    permute(list, visit, from + 1)
    list[from], list[index] = list[index], list[from]
  end
end

describe("a status store", function()
  local store

  before_each(function() store = webhook.status_store() end)

  it("knows what the webhook of a status says", function()
    assert.is_true(store:put(event("a", "read", {
      timestamp = 1700000004, update = ',"metadata":{"campaignName":"promo"}',
      body = ',"callbackData":{"order":15555555555555555555}',
    })))
    assert.same({
      status = "read", timestamp = 1700000004, campaign_name = "promo", callback_data = { order = "15555555555555555555" },
    }, store:get("a"))
    assert.is_nil(store:get("b"))
  end)

  it("is not changed by what is done to what it gives or was given", function()
    local given = event("a", "read", { body = ',"callbackData":{"order":{"id":"1"}}' })
    store:put(given)
    given.callback_data.order.id = "2"
    store:get("a").callback_data.order.id = "3"
    assert.same({ order = { id = "1" } }, store:get("a").callback_data)
  end)

  it("goes from sent to delivered to read", function()
    for _, status in ipairs { "sent", "delivered", "read" } do
      assert.is_true(store:put(event("a", status)))
      assert.equal(status, store:get("a").status)
    end
  end)

  it("drops duplicates", function()
    for _, status in ipairs { "unheard", "sent", "delivered", "read", "delivery_failed" } do
      assert.is_true(store:put(event("a", status)))
      assert.is_false(store:put(event("a", status)))
      assert.is_false(store:put(event("a", status, { timestamp = 1700000009 })))
      assert.equal(1700000000, store:get("a").timestamp)
    end
  end)

  it("is not undone by what comes late", function()
    local order = { "unheard", "sent", "delivered", "read", "delivery_failed" }
    for index = 2, #order do
      store:put(event(order[index], order[index]))
      for lower = 1, index - 1 do
        assert.is_false(store:put(event(order[index], order[lower], { timestamp = 1700000009 })))
      end
      assert.equal(order[index], store:get(order[index]).status)
    end
  end)

  it("says the same whatever order events come in, and however often", function()
    permute({ "sent", "delivered", "read", "sent", "unheard" }, function(list)
      assert.equal("read", status_after(list))
    end)
    permute({ "sent", "delivered", "read", "delivery_failed", "unheard" }, function(list)
      assert.equal("delivery_failed", status_after(list))
    end)
  end)

  it("keeps why a message was not delivered, also under the older name", function()
    assert.is_true(store:put(event("a", "delivery_failure", {
      update = ',"error":{"message":"Internal server error","code":"ERROR_CODE_UNSPECIFIED","cntTraceId":"15555555555555555555"}',
    })))
    local known = store:get("a")
    assert.equal("delivery_failed", known.status)
    assert.is_true(connectly.is_error(known.error))
    assert.equal("15555555555555555555", known.error.trace_id)
    assert.is_false(store:put(event("a", "delivery_failed")))
    assert.is_false(store:put(event("a", "read")))
    local given = event("b", "delivery_failed", { update = ',"error":{"code":"ERROR_CODE_UNSPECIFIED","details":{"a":1}}' })
    store:put(given)
    given.error.code, given.error.details.a = "mine", 2
    assert.same({ "ERROR_CODE_UNSPECIFIED", { a = 1 } }, { store:get("b").error.code, store:get("b").error.details })
    assert.equal("ERROR_CODE_UNSPECIFIED", store:get("a").error.code)
  end)

  it("keeps of the statuses nobody knows the latest", function()
    assert.is_true(store:put(event("a", "queued", { timestamp = 5 })))
    assert.is_true(store:put(event("a", "routed", { timestamp = 6 })))
    assert.is_false(store:put(event("a", "queued", { timestamp = 5 })))
    assert.equal("routed", store:get("a").status)
    assert.is_true(store:put(event("a", "sent")))
    assert.is_false(store:put(event("a", "archived", { timestamp = 2000000000 })))
    assert.equal("sent", store:get("a").status)
  end)

  it("ignores what is no status of a message", function()
    for _, text in ipairs {
      '{"message":{"text":"x","id":"a"}}', '{"buttonResponse":{"id":"a","text":"x"}}', '{"report":{"id":"a"}}', "no", "",
      '{"statusUpdate":{"status":"read"}}', '{"statusUpdate":{"id":"a"}}', '{"statusUpdate":{"id":"","status":"read"}}',
    } do
      assert.is_false(store:put(hook:parse(text)))
    end
    assert.is_nil(store:get("a"))
    assert.is_nil(store:get(""))
  end)

  it("takes any string for an id", function()
    local ids = { "__index", "put", "1", "a b", "\240\159\142\129", ("x"):rep(100000), "+14155550123", "..", "%s" }
    for _, id in ipairs(ids) do
      assert.is_nil(store:get(id))
      assert.is_true(store:put(event(id, "sent")))
    end
    for _, id in ipairs(ids) do
      assert.is_true(store:put(event(id, "read")))
      assert.equal("read", store:get(id).status)
    end
    assert.is_nil(store:get("nothing"))
  end)

  it("hands out copies", function()
    store:put(event("a", "sent"))
    store:get("a").status = "mine"
    assert.equal("sent", store:get("a").status)
  end)

  it("forgets the oldest ids beyond its ceiling", function()
    store = webhook.status_store { max = 3 }
    for round = 0, 4 do
      for index = 1, 5 do
        store:put(event(round .. "-" .. index, "sent"))
        store:put(event(round .. "-" .. index, "read"))
      end
      for index = 1, 5 do
        local known = store:get(round .. "-" .. index)
        assert.equal(index > 2 and "read" or nil, known and known.status)
      end
    end
    -- News of an id does not make it younger.
    store:put(event("4-3", "delivery_failed"))
    store:put(event("new", "sent"))
    assert.is_nil(store:get("4-3"))
    assert.is_true(store:put(event("4-3", "sent")))
    assert.equal("sent", store:get("4-3").status)
  end)

  it("does not grow beyond its ceiling", function()
    store = webhook.status_store { max = 100 }
    local function fill()
      for index = 1, 20000 do
        store:put { kind = "status", id = "id" .. index, status = "sent", raw = "" }
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    local before = fill()
    assert(fill() - before < 100, "KiB more: " .. collectgarbage("count") - before)
  end)

  it("wakes those that watch an id at its news alone", function()
    local woken = {}
    local function signal(name)
      return { set = function() woken[#woken + 1] = name end }
    end
    local one, another, other = signal "a", signal "a", signal "b"
    store:watch("a", one)
    store:watch("a", another)
    store:watch("b", other)
    store:put(event("a", "sent"))
    store:put(event("a", "sent"))
    store:put(event("c", "sent"))
    assert.same({ "a", "a" }, woken)
    store:put(event("b", "sent"))
    assert.same({ "a", "a", "b" }, woken)
    assert(one and another and other)
  end)

  it("forgets who does not wait any more", function()
    local watchers = require("connectly.webhook.watchers").new()
    for index = 1, 5000 do
      watchers:add("id" .. index, { set = function() error("nobody is there") end })
      if index % 50 == 0 then
        collectgarbage()
        collectgarbage()
      end
    end
    local count = 0
    for _ in pairs(watchers.signals_of) do
      count = count + 1
    end
    assert(count <= 200, "ids that are watched: " .. count)
  end)

  it("shows nothing of what it holds", function()
    store:put(event("canary", "sent"))
    assert.equal("connectly.status_store", tostring(store))
    assert.equal("connectly.status_store", getmetatable(store))
    assert.is_nil(next(store))
  end)

  it("is used in the right way, or that is an error", function()
    assert.error_matches(function() store.put(event("a", "sent")) end, "status store expected, got table .call it as store:put")
    assert.error_matches(function() store:put("a") end, "an event of webhook:parse expected, got string")
    assert.error_matches(function() store:get() end, "the id of a message expected, a string; got nil")
    assert.error_matches(function() store:watch(5, {}) end, "the id of a message expected, a string; got number")
    for _, misuse in ipairs { function() store:put("a") end, function() store:get() end, function() store:watch(5, {}) end } do
      local _, problem = pcall(misuse)
      assert.truthy(problem:find("status_store_spec.lua:%d+: connectly: "), problem)
    end
  end)

  local refused = {
    { 5, "options", "table expected, got number" }, { { [5] = 5 }, "options", "are known" },
    { { ttl = 5 }, "options", "are known" },
    { { max = "5" }, "max", "number expected, got string" }, { { max = 0 }, "max", "whole number from 1" },
    { { max = 1.5 }, "max", "whole number from 1" }, { { max = 0 / 0 }, "max", "whole number from 1" },
    { { max = math.huge }, "max", "whole number from 1" }, { { interval = 1 }, "interval", "given without `dict`" },
    { { dict = "statuses" }, "dict", "in nginx alone" }, { { dict = 5 }, "dict", "string expected" },
    { { dict = "statuses", max = 5 }, "max", "given beside `dict`" },
    { { dict = "statuses", interval = 0 }, "interval", "more than 0" },
    { { dict = "statuses", interval = 61 }, "interval", "at most 60" },
  }
  for _, case in ipairs(refused) do
    it(("is not made of wrong options: %s: %s"):format(case[2], case[3]), function()
      local is_made, err = pcall(webhook.status_store, case[1])
      assert.is_false(is_made)
      assert.is_true(connectly.is_error(err))
      assert.equal("config", err.kind)
      assert.equal(case[2], err.param)
      assert.truthy(err.message:find(case[3], 1, true), err.message)
    end)
  end
end)
