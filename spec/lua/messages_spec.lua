-- A Lua table becomes wire JSON, byte for byte as the fixtures say; or every
-- fault of it is named.

local cjson = require "cjson"
local connectly = require "connectly"
local safe = require "connectly.safe"
local fixtures = require "spec.support.fixtures"

local function options()
  return { api_key = "spec-key", business_id = "spec-business", base_url = "https://localhost:1" }
end

describe("a message", function()
  local client = connectly.new(options())

  for _, fixture in ipairs(fixtures.read("messages")) do
    it("in our form: " .. fixture.description .. " (" .. fixture.file .. ")", function()
      assert.equal(fixture.body, (client:dry_run(fixture.operation, fixture.friendly)))
    end)

    it("in the wire's form: " .. fixture.description .. " (" .. fixture.file .. ")", function()
      assert.equal(fixture.body, (client:dry_run(fixture.operation, fixture.wire)))
    end)
  end

  it("says where it would go", function()
    local _, target = client:dry_run("send_session", { number = "+14155550123", text = "x" })
    assert.same({ method = "POST", path = "/send/messages" }, target)
  end)

  it("takes the client's sender, and its own before that", function()
    local with_sender = options()
    with_sender.sender = "+14155550100"
    local sending = connectly.new(with_sender)
    local template = { number = "+14155550123", template_name = "t", language = "en" }
    assert.equal('{"sender":"+14155550100","number":"+14155550123","templateName":"t","language":"en"}',
      (sending:dry_run("send_template", template)))
    template.sender = "+14155550199"
    assert.equal('{"sender":"+14155550199","number":"+14155550123","templateName":"t","language":"en"}',
      (sending:dry_run("send_template", template)))
    assert.equal('{"sender":{"id":"+14155550100","channelType":"whatsapp"},'
      .. '"recipient":{"id":"+14155550123","channelType":"whatsapp"},"message":{"text":"x"}}',
      (sending:dry_run("send_session", { number = "+14155550123", text = "x" })))
  end)

  it("may have its defaults in a metatable", function()
    local defaults = { template_name = "t", language = "en", campaign_name = "c" }
    local message = setmetatable({ number = "+14155550123" }, { __index = defaults })
    assert.equal('{"number":"+14155550123","templateName":"t","language":"en","campaignName":"c"}',
      (client:dry_run("send_template", message)))
  end)

  it("may have a list that a metatable makes", function()
    local body = setmetatable({}, { __index = function(_, index) return index <= 2 and "v" .. index or nil end })
    local message = { number = "+14155550123", template_name = "t", language = "en", body = body }
    assert.equal('{"number":"+14155550123","templateName":"t","language":"en","parameters":'
      .. '[{"name":"body_1","value":"v1"},{"name":"body_2","value":"v2"}]}', (client:dry_run("send_template", message)))
  end)

  it("writes whole floats without a fraction, and a fraction with a point in any locale", function()
    local message = { number = "+14155550123", template_name = "t", language = "en", body = { 98765.0, 2 ^ 40, 0.5 } }
    local expected = '"value":"98765"},{"name":"body_2","value":"1099511627776"},{"name":"body_3","value":"0.5"}'
    assert.truthy(client:dry_run("send_template", message):find(expected, 1, true))
  end)
end)

describe("a message with faults", function()
  local client = safe.new(options())

  for _, fixture in ipairs(fixtures.read("refused")) do
    it(fixture.description .. " (" .. fixture.file .. ")", function()
      local id, err = client[fixture.operation](client, fixture.message)
      assert.is_nil(id)
      assert.is_true(connectly.is_error(err))
      assert.equal("argument", err.kind)
      assert.equal("not_sent", err.outcome)
      assert.is_false(err.retryable)
      assert.equal(0, err.attempts)
      assert.same(fixture.problems, err.problems)
      assert.equal(fixture.problems[1].param, err.param)
      local first = fixture.problems[1].param .. ": " .. fixture.problems[1].message
      assert.equal(first, err.message:sub(1, #first))
    end)
  end

  local template = function(changes)
    local message = { number = "+14155550123", template_name = "t", language = "en" }
    for key, value in pairs(changes) do
      message[key] = value
    end
    return message
  end

  -- What JSON fixtures cannot hold.
  local cases = {
    { "a hole", { body = { "a", nil, "c" } }, "body[2]", "missing: a list has no holes" },
    { "invalid UTF-8", { body = { "a\xff" } }, "body[1]", "not valid UTF-8" },
    { "a surrogate", { body = { "\xed\xa0\x80" } }, "body[1]", "not valid UTF-8" },
    { "a long form", { body = { "\xc0\xaf" } }, "body[1]", "not valid UTF-8" },
    { "not a number", { body = { 0 / 0 } }, "body[1]", "finite number expected" },
    { "infinity", { body = { math.huge } }, "body[1]", "finite number expected" },
    { "a function", { body = { print } }, "body[1]", "string or number expected, got function" },
    { "a list item beside the fields", { "x" }, "[1]", "field name expected, got a list item or other key" },
    { "a mixed list", { parameters = { { name = "body_1", value = "x" }, body_2 = "y" } }, "parameters",
      "either a list or a map by name expected, got both" },
    { "invalid UTF-8 in callback data", { callback_data = "\xff" }, "callback_data", "not valid UTF-8" },
    { "a function in callback data", { callback_data = { f = print } }, "callback_data",
      "cannot be written as JSON: Cannot serialise function: type not supported" },
    { "a number in callback data that would be rounded", { callback_data = { order = 123456789012345678 } },
      "callback_data", "would be rounded" },
    { "a parameter map with a metatable", { parameters = setmetatable({}, { __index = { body_1 = "x" } }) }, "parameters",
      "plain table expected: a metatable's fields cannot be listed" },
  }

  for _, case in ipairs(cases) do
    it(case[1] .. " is named by its path", function()
      local _, err = client:send_template(template(case[2]))
      assert.equal("argument", err.kind)
      assert.equal(case[3], err.param)
      assert.truthy(err.message:find(case[4], 1, true), err.message)
    end)
  end

  it("that is no table is refused", function()
    for _, message in ipairs { "text", 5, true, false } do
      local _, err = client:send_template(message or nil)
      assert.equal("argument", err.kind)
      assert.truthy(err.message:find("table of fields expected", 1, true))
    end
  end)

  it("shows no number that stood where a name belongs", function()
    local _, err = client:send_template(template { ["+16044441234"] = "x" })
    assert.is_nil(tostring(err):find("6044441234", 1, true))
    assert.is_nil(cjson.encode(err.problems):find("6044441234", 1, true))
  end)

  it("that uses the client from a metamethod is refused", function()
    local inner = setmetatable({ number = "+14155550123" }, {
      __index = function()
        client:dry_run("send_session", { number = "+14155550123", text = "other" })
        return nil
      end,
    })
    local _, err = client:send_template(inner)
    assert.equal("argument", err.kind)
    assert.truthy(err.message:find("metamethod", 1, true))
  end)

  it("with a metamethod that raises raises that", function()
    local message = setmetatable({}, { __index = function() error("mine", 0) end })
    assert.has_error(function() client:send_template(message) end, "mine")
    assert.truthy((client:dry_run("send_session", { number = "+14155550123", text = "x" })))
  end)

  it("counts all problems but keeps a hundred", function()
    local body = {}
    for index = 1, 300 do
      body[index] = { name = "nothing_" .. index, value = "x" }
    end
    local _, err = client:send_template(template { parameters = body })
    assert.equal(100, #err.problems)
    assert.truthy(err.message:find("and 299 more", 1, true), err.message)
  end)

  it("larger than a mebibyte is refused", function()
    local _, err = client:send_template(template { body = { ("x"):rep(1024 * 1024) } })
    assert.equal("argument", err.kind)
    assert.truthy(err.message:find("larger than 1048576 bytes", 1, true))
  end)
end)

describe("callback data", function()
  local client = connectly.new(options())

  local function sent(value)
    local body = client:dry_run("send_session", { number = "+14155550123", text = "x", callback_data = value })
    return body:match('"callbackData":(.*)}$')
  end

  it("may be any JSON value", function()
    assert.equal('"ticket"', sent("ticket"))
    assert.equal("7", sent(7))
    assert.equal("true", sent(true))
    assert.equal("false", sent(false))
    assert.equal('[1,"b"]', sent { 1, "b" })
    assert.equal("{}", sent {})
    assert.equal('{"deep":{"a":[null]}}', sent { deep = { a = { cjson.null } } })
  end)

  it("keeps the array marks of the cjson that is installed", function()
    if cjson.empty_array then
      assert.equal("[]", sent(cjson.empty_array))
    end
    if cjson.array_mt then
      assert.equal("[]", sent(setmetatable({}, cjson.array_mt)))
    end
    assert.equal('{"a":null}', sent { a = connectly.null })
  end)

  it("refuses a whole number that would lose digits, and says where", function()
    for _, number in ipairs { 123456789012345678, -123456789012345678 } do
      local is_fine, err = pcall(sent, { orders = { 1, { id = number } } })
      assert.is_false(is_fine)
      assert.truthy(err.message:find("(at orders[2].id)", 1, true), err.message)
    end
    assert.equal("12345678901234", sent(12345678901234))
    assert.equal("1e+20", sent(1e20))
  end)

  it("of exactly 1024 bytes goes, as exactly these bytes", function()
    local text = ("é"):rep(511)
    assert.equal('"' .. text .. '"', sent(text))
    assert.equal(1024, #sent(text))
  end)

  it("that refers to itself is refused", function()
    local loop = {}
    loop.loop = loop
    local is_fine, err = pcall(sent, loop)
    assert.is_false(is_fine)
    assert.equal("callback_data", err.param)
  end)
end)
