-- Signatures, every shape of a webhook, and whatever else may come.

local cjson = require "cjson"
local connectly = require "connectly"
local fixtures = require "spec.support.fixtures"
local flip = require("spec.support.bits").flip
local webhook = require "connectly.webhook"

local SECRET = "example-secret"
-- API: webhooks, delivery mechanics.
local BODY = '{"topic":"delivery_status","timestamp":"1700000000","statusUpdate":{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV",'
  .. '"status":"read","error":null}}'
local SIGNATURE = "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU="

describe("a signature", function()
  local hook

  before_each(function() hook = webhook.new { secret = SECRET } end)

  it("of the documentation's vector is good", function()
    assert.equal(132, #BODY)
    assert.is_true(hook:verify(BODY, SIGNATURE))
  end)

  it("is not, after any change of one bit of the body", function()
    for bit = 0, #BODY * 8 - 1 do
      assert(not hook:verify(flip(BODY, bit), SIGNATURE), "bit " .. bit)
    end
  end)

  it("is not, after any change of one bit of its own", function()
    for bit = 0, #SIGNATURE * 8 - 1 do
      assert(not hook:verify(BODY, flip(SIGNATURE, bit)), "bit " .. bit)
    end
  end)

  it("may be of any of several secrets, and of no other", function()
    assert.is_true(webhook.new({ secrets = { "new", SECRET } }):verify(BODY, SIGNATURE))
    assert.is_true(webhook.new({ secrets = { SECRET, "new" } }):verify(BODY, SIGNATURE))
    assert.is_false(webhook.new({ secrets = { "new", "newer" } }):verify(BODY, SIGNATURE))
  end)

  it("that is missing, of another type or another form, is none and no error", function()
    for _, signature in ipairs { "", "x", SIGNATURE .. "\n", SIGNATURE .. SIGNATURE, ("\0"):rep(44), 44, true, {}, print } do
      assert.is_false(hook:verify(BODY, signature))
    end
    assert.is_false(hook:verify(BODY, { SIGNATURE, SIGNATURE }))
    assert.is_false(hook:verify(BODY))
    assert.is_false(hook:verify(nil, SIGNATURE))
    assert.is_false(hook:verify("", SIGNATURE))
    assert.is_false(hook:verify(BODY .. "\n", SIGNATURE))
  end)

  it("is asked for in the right way, or that is an error", function()
    assert.error_matches(function() hook:verify({}, SIGNATURE) end, "the raw body expected, a string; got table")
    assert.error_matches(function() hook.verify(BODY, SIGNATURE) end, "webhook expected, got string .call it as webhook:verify")
    assert.error_matches(function() hook.parse(BODY) end, "call it as webhook:parse")
    assert.error_matches(function() hook:parse(nil) end, "a string; got nil")
  end)
end)

describe("a webhook", function()
  local refused = {
    { nil, "options", "table expected" }, { "x", "options", "table expected" }, { {}, "secret", "string expected, got nil" },
    { { secret = "" }, "secret", "empty" }, { { secret = 5 }, "secret", "string expected" },
    { { secrets = {} }, "secrets", "1 to 16" }, { { secrets = SECRET }, "secrets", "list expected" },
    { { secrets = { SECRET, "" } }, "secrets[2]", "empty" }, { { secrets = { SECRET, 5 } }, "secrets[2]", "string expected" },
    { { secret = SECRET, secrets = { SECRET } }, "secrets", "one of the two" },
    { { secret = SECRET, [SECRET] = true }, "options", "only `secret`" },
  }
  for index = 1, #refused do
    local case = refused[index]
    it(("is not made of wrong options: %s: %s"):format(case[2], case[3]), function()
      local is_made, err = pcall(webhook.new, case[1])
      assert.is_false(is_made)
      assert.is_true(connectly.is_error(err))
      assert.equal("config", err.kind)
      assert.equal(case[2], err.param)
      assert.truthy(err.message:find(case[3], 1, true), err.message)
      assert.is_nil(tostring(err):find(SECRET, 1, true))
    end)
  end

  it("takes as many secrets as it says", function()
    local many = {}
    for index = 1, 16 do
      many[index] = index < 16 and "secret " .. index or SECRET
    end
    assert.is_true(webhook.new({ secrets = many }):verify(BODY, SIGNATURE))
    many[17] = "one more"
    assert.has_error(function() webhook.new { secrets = many } end)
  end)

  it("keeps its secrets, and to itself", function()
    local list = { SECRET }
    local hook = webhook.new { secrets = list }
    list[1] = "another"
    assert.is_true(hook:verify(BODY, SIGNATURE))
    assert.equal("connectly.webhook", tostring(hook))
    assert.equal("connectly.webhook", getmetatable(hook))
    assert.is_nil(next(hook))
    assert.is_nil(hook.secret)
  end)

  it("is a part of the library", function()
    assert.equal(webhook, connectly.webhook)
  end)
end)

--- What is expected, with its texts for any hint and its nulls as they are decoded.
local function check_error(expected, err)
  if not expected then
    assert.is_nil(err)
    return
  end
  assert.is_true(connectly.is_error(err))
  local copy = {}
  for key, value in pairs(err) do
    copy[key] = key == "hint" and #value > 0 and "*" or value
  end
  assert.same(expected, copy)
end

describe("an event", function()
  local hook = webhook.new { secret = SECRET }

  for _, fixture in ipairs(fixtures.read("webhooks")) do
    it("is read: " .. fixture.description, function()
      local event = hook:parse(fixture.body)
      check_error(fixture.expect.error, event.error)
      assert.equal(fixture.body, event.raw)
      event.error, fixture.expect.error, event.raw, event.body = nil, nil, nil, nil
      assert.same(fixture.expect, event)
    end)
  end

  it("has the body as lua-cjson reads it, long numbers excepted", function()
    local event = hook:parse('{"message":{"reaction":{"emoji":"x","of":15555555555555555555,"at":1e3,"a":null}}}')
    assert.equal("unknown", event.kind)
    assert.same({ emoji = "x", of = "15555555555555555555", at = 1000, a = cjson.null }, event.body.message.reaction)
  end)

  it("of no JSON has no body", function()
    assert.is_nil(hook:parse("no").body)
    assert.equal("no", hook:parse("no").raw)
  end)

  it("has a whole number as its time", function()
    assert.equal("1700000000", tostring(hook:parse(BODY).timestamp))
    assert.equal("1700000000", tostring(hook:parse('{"timestamp":1700000000}').timestamp))
  end)

  local times = {
    { '"2000-02-29T23:59:59Z"', 951868799 }, { '"1970-01-01T00:00:00Z"', 0 }, { '"2026-01-02 03:04:05-0130"', 1767328445 },
    { '"2025-12-31T23:59:59z"', 1767225599 }, { '"1700000000.25"', 1700000000.25 }, { '"-1"', -1 },
    { '""' }, { '"now"' }, { '"2026-13-02T03:04:05Z"' }, { '"2026-01-02"' }, { '"2026-01-02T03:04:05"' }, { "1e999" }, { "{}" },
    { "true" }, { '"0x10"' }, { '"inf"' }, { '" 1 "' },
  }
  for _, case in ipairs(times) do
    it("has as its time " .. case[1] .. ": " .. tostring(case[2]), function()
      assert.equal(case[2], hook:parse('{"timestamp":' .. case[1] .. "}").timestamp)
    end)
  end

  it("does not depend on what the program did to its cjson", function()
    cjson.decode_max_depth(1)
    local event = hook:parse('{"message":{"text":"x"}}')
    cjson.decode_max_depth(1000)
    assert.equal("x", event.text)
  end)
end)

describe("whatever comes", function()
  local hook = webhook.new { secret = SECRET }
  local known = { status = true, message = true, button = true, report = true, unknown = true }
  local meaning = { '"', "\\", "{", "}", "[", "]", ":", ",", "-", "0", "9", "e", "null", "true", "{}", "[]", '""', "\0", "\255" }

  local function mutate(text)
    local at = math.random(#text + 1)
    local choice = math.random(4)
    if choice == 1 then
      return text:sub(1, at - 1) .. meaning[math.random(#meaning)] .. text:sub(at + 1)
    elseif choice == 2 then
      return text:sub(1, at - 1) .. text:sub(at + math.random(12))
    elseif choice == 3 then
      return text:sub(1, at - 1) .. meaning[math.random(#meaning)] .. text:sub(at)
    end
    return text:sub(1, at - 1) .. string.char(math.random(0, 255)) .. text:sub(at + 1)
  end

  --- Another value in the place of one: the text stays JSON, and its shape does not.
  local function swap(text)
    local values = {
      "null", "true", "7", "15555555555555555555", '"x"', "{}", "[]", '[{"id":[]}]', '{"id":{},"text":[],"status":1}',
    }
    local places = {}
    for at in text:gmatch("():%s*") do
      places[#places + 1] = at
    end
    local at = places[1] and places[math.random(#places)]
    if not at then
      return text
    end
    local rest = text:sub(at + 1):gsub("^%s*", "")
    local after = rest:match('^"[^"]*"(.*)$') or rest:match("^%b{}(.*)$") or rest:match("^%b[](.*)$")
      or rest:match("^[^,}%]]*(.*)$")
    return text:sub(1, at) .. values[math.random(#values)] .. after
  end

  local function check(text)
    local is_fine, event = pcall(hook.parse, hook, text)
    assert(is_fine, ("%s: %q"):format(tostring(event), text))
    assert(known[event.kind] and event.raw == text, text)
    assert(event.kind ~= "status" or type(event.status) == "string", text)
    assert(event.timestamp == nil or type(event.timestamp) == "number", text)
    assert(event.error == nil or connectly.is_error(event.error), text)
    assert(hook:verify(text, SIGNATURE) == (text == BODY), text)
    return event.body ~= nil
  end

  it("is no error", function()
    math.randomseed(20261122)
    local read = 0
    for _, fixture in ipairs(fixtures.read("webhooks")) do
      for _ = 1, 400 do
        local text = fixture.body
        for _ = 1, math.random(3) do
          text = (math.random(2) == 1 and swap or mutate)(text)
        end
        read = read + (check(text) and 1 or 0)
      end
    end
    -- Else nothing but broken JSON would have been tried.
    assert(read > 2000, "JSON that was read: " .. read)
  end)

  it("keeps long numbers in the details of an error", function()
    local event = hook:parse('{"statusUpdate":{"id":"x","status":"delivery_failed","error":'
      .. '{"details":{"wamid":15555555555555555555}}}}')
    assert.equal("15555555555555555555", event.error.details.wamid)
  end)

  it("has a referral only where it says something, and what it replies to in both spellings", function()
    assert.is_nil(hook:parse('{"message":{"id":"a","text":"x","referral":{}}}').referral)
    assert.equal("m1", hook:parse('{"message":{"id":"a","text":"x"},"context":{"replyToId":"m1"}}').reply_to)
    assert.equal("m2", hook:parse('{"message":{"id":"a","text":"x"},"context":{"reply_to_id":"m2"}}').reply_to)
  end)

  it("brings back whatever callback data may be sent", function()
    local client = connectly.new { api_key = "k", business_id = "b" }
    local function body_with(depth)
      local data = 'x]}"[[{{\\'
      for level = 1, depth do
        data = level % 2 == 0 and { data } or { ["a[{"] = data }
      end
      return client:dry_run("send_template",
        { number = "+14155550123", template_name = "t", language = "en", callback_data = data })
    end
    local data = assert(body_with(32)):match('"callbackData":(.*)}$')
    local event = hook:parse('{"statusUpdate":{"id":"x","status":"read"},"callbackData":' .. data .. "}")
    assert.same({ "status", "table" }, { event.kind, type(event.callback_data) })
    assert.has_error(function() body_with(33) end)
  end)

  it("is no error when it is deep, long or nothing at all", function()
    for _, text in ipairs {
      "", " ", "\0", ("["):rep(100000), ('{"message":'):rep(60) .. "1" .. ("}"):rep(60), ("9"):rep(100000),
      '{"message":{"text":"' .. ("x"):rep(1000000) .. '"}}', '{"a":' .. ("1"):rep(400) .. "}",
      "[" .. ("99999999999999999,"):rep(50000) .. "1]",
      '{"statusUpdate":{"status":"x"},"statusUpdate":{"status":"y"}}',
    } do
      check(text)
    end
  end)
end)
