-- ensure_webhook: whatever is registered becomes what is wanted. Without a network;
-- the way over HTTP is in endpoints_spec.

local errors = require "connectly.errors"
local native = require "connectly.loader"
local registration = require "connectly.client.ensure_webhook"

local WANTED = {
  topic = "messages", address = "https://hooks.example.com/new",
  configuration = { echo = true, channel_types = { "whatsapp" } },
}

describe("a registration", function()
  local calls, answers

  local function send(operation, message)
    calls[#calls + 1] = { operation, message }
    local answer = answers[operation]
    if errors.is_error(answer) then
      return nil, answer
    end
    return answer, { status = 200 }
  end

  local function names()
    local list = {}
    for index, call in ipairs(calls) do
      list[index] = call[1]
    end
    return table.concat(list, " ")
  end

  local function conflict()
    return errors.new { kind = "rejected", outcome = "rejected", status = 409, message = "topic already registered" }
  end

  local function listed(webhook)
    return { entity = { webhooks = { { id = "wh_other", topic = "report", address = "x" }, webhook } } }
  end

  before_each(function()
    calls, answers = {}, {}
  end)

  it("is made where there is none", function()
    answers.create_webhook = "wh_1"
    local id, info = registration.ensure(WANTED, send)
    assert.equal("wh_1", id)
    assert.equal("created", info.change)
    assert.equal("create_webhook", names())
  end)

  it("is changed where there is another", function()
    answers = {
      create_webhook = conflict(), update_webhook = {},
      list_webhooks = listed { id = "wh_2", topic = "messages", address = "https://hooks.example.com/old" },
    }
    local id, info = registration.ensure(WANTED, send)
    assert.equal("wh_2", id)
    assert.equal("updated", info.change)
    assert.equal("create_webhook list_webhooks update_webhook", names())
    assert.same({ id = "wh_2", address = WANTED.address, configuration = WANTED.configuration }, calls[3][2])
  end)

  it("is left alone where it is as it should be", function()
    answers = {
      create_webhook = conflict(),
      list_webhooks = listed { id = "wh_2", topic = "messages", address = WANTED.address,
        configuration = { echo = true, channelTypes = { "whatsapp" }, filters = {} } },
    }
    local id, info = registration.ensure(WANTED, send)
    assert.equal("wh_2", id)
    assert.equal("none", info.change)
    assert.equal("create_webhook list_webhooks", names())
  end)

  it("is changed when its configuration is another", function()
    answers = {
      create_webhook = conflict(), update_webhook = {},
      list_webhooks = listed { id = "wh_2", topic = "messages", address = WANTED.address,
        configuration = { echo = true, channelTypes = { "whatsapp", "sms" } } },
    }
    local _, info = registration.ensure(WANTED, send)
    assert.equal("updated", info.change)
  end)

  it("of another type is not passed off as what is wanted", function()
    answers = {
      create_webhook = conflict(),
      list_webhooks = listed { id = "wh_2", topic = "messages", type = "custom", address = WANTED.address },
    }
    local id, err = registration.ensure({ topic = "messages", address = WANTED.address, type = "zapier" }, send)
    assert.is_nil(id)
    assert.equal(409, err.status)
    assert.equal("wh_2", (registration.ensure({ topic = "messages", address = WANTED.address, type = "custom" }, send)))
  end)

  it("takes null, and an empty type, for nothing said", function()
    for _, case in ipairs {
      { { type = native.null, configuration = native.null }, {} }, { { type = "custom" }, { type = "" } },
      { { configuration = { channel_types = { "whatsapp", "sms" } } },
        { configuration = { channelTypes = { "sms", "whatsapp" } } } },
    } do
      local wanted, there = case[1], case[2]
      wanted.topic, wanted.address = "messages", WANTED.address
      there.id, there.topic, there.address = "wh_2", "messages", WANTED.address
      answers = { create_webhook = conflict(), update_webhook = {}, list_webhooks = listed(there) }
      local id, info = registration.ensure(wanted, send)
      assert.equal("wh_2", id)
      assert.equal("none", info.change)
    end
  end)

  it("of other names is changed, however many there are", function()
    for _, lists in ipairs { { { "sms", "sms" }, { "sms", "whatsapp" } }, { { "sms" }, { "sms", "whatsapp" } } } do
      answers = { create_webhook = conflict(), update_webhook = {}, list_webhooks = listed {
        id = "wh_2", topic = "messages", address = WANTED.address, configuration = { channelTypes = lists[2] } } }
      local _, info = registration.ensure(
        { topic = "messages", address = WANTED.address, configuration = { channel_types = lists[1] } }, send)
      assert.equal("updated", info.change)
    end
  end)

  it("that may have been made is looked for", function()
    answers = {
      create_webhook = errors.new { kind = "timeout", outcome = "unknown", message = "time ran out" },
      list_webhooks = listed { id = "wh_3", topic = "messages", address = WANTED.address,
        configuration = WANTED.configuration },
    }
    assert.equal("wh_3", (registration.ensure(WANTED, send)))
  end)

  it("that somebody has just removed is made anew, once", function()
    local gone = errors.new { kind = "rejected", outcome = "rejected", status = 404, message = "no such webhook" }
    answers = { update_webhook = gone, list_webhooks = listed { id = "wh_2", topic = "messages", address = "x" } }
    local creations = { conflict(), "wh_4" }
    local function answer(operation, message)
      answers.create_webhook = operation == "create_webhook" and table.remove(creations, 1) or answers.create_webhook
      return send(operation, message)
    end
    local id, info = registration.ensure(WANTED, answer)
    assert.same({ "wh_4", "created" }, { id, info.change })
    assert.equal("create_webhook list_webhooks update_webhook create_webhook", names())
    calls, creations = {}, { conflict(), conflict() }
    assert.equal(409, select(2, registration.ensure(WANTED, answer)).status)
    assert.equal(4, #calls)
  end)

  it("that wants nothing of a kind is content with none", function()
    local wanted = { topic = "messages", address = "https://hooks.example.com/", configuration = { filters = {}, echo = false } }
    for index, configuration in ipairs { {}, { filters = {}, echo = false }, { filters = {}, echo = true },
      { filters = { { field = "campaign_name" } } } } do
      answers = { create_webhook = conflict(), update_webhook = {}, list_webhooks = listed {
        id = "wh_2", topic = "messages", address = wanted.address, configuration = configuration } }
      local _, info = registration.ensure(wanted, send)
      assert.equal(index < 3 and "none" or "updated", info.change)
      assert.equal(200, info.status)
    end
  end)

  it("that was refused stays refused", function()
    for _, listing in ipairs { listed(nil), {}, { entity = "x" }, { entity = { webhooks = { "x" } } } } do
      answers = { create_webhook = conflict(), list_webhooks = listing }
      local id, err = registration.ensure(WANTED, send)
      assert.is_nil(id)
      assert.equal(409, err.status)
    end
    answers = { create_webhook = errors.new { kind = "auth", outcome = "rejected", status = 401, message = "no key" } }
    local _, err = registration.ensure(WANTED, send)
    assert.equal(401, err.status)
  end)

  it("whose list or change failed says so", function()
    local failure = errors.new { kind = "server", outcome = "unknown", status = 500, message = "the server failed" }
    answers = { create_webhook = conflict(), list_webhooks = failure }
    local id, err = registration.ensure(WANTED, send)
    assert.is_nil(id)
    assert.equal(failure, err)
    answers = { create_webhook = conflict(), update_webhook = failure,
      list_webhooks = listed { id = "wh_2", topic = "messages", address = "x" } }
    id, err = registration.ensure(WANTED, send)
    assert.is_nil(id)
    assert.equal(failure, err)
  end)
end)
