-- Every documented code, every shape of an error's body, every unknown thing.

local connectly = require "connectly"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"
local cjson = require "cjson"

local codes = {
  "ERROR_CODE_INVALID_SENDER_ID", "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT", "ERROR_CODE_MESSAGE_PHONE_NUMBER_INVALID",
  "ERROR_CODE_MESSAGE_SELF_INVALID", "ERROR_CODE_MESSAGE_TEXT_EMPTY", "ERROR_CODE_MESSAGE_ATTACHMENTS_NUMBER_INVALID",
  "ERROR_CODE_MESSAGE_ATTACHMENT_EMPTY", "ERROR_CODE_MESSAGE_ATTACHMENT_INVALID",
  "ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND", "ERROR_CODE_MESSAGE_TEMPLATE_INPUT_INVALID",
  "ERROR_CODE_MESSAGE_TEMPLATE_DELETED", "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW",
  "ERROR_CODE_MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION", "ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT",
  "ERROR_CODE_BUSINESS_MISSES_MATCHING_CHANNEL", "ERROR_CODE_BUSINESS_REACHED_LIMITS",
  "ERROR_CODE_BUSINESS_KEY_SECRET_ABSENT", "ERROR_CODE_UNSPECIFIED",
}

describe("an error of the API", function()
  local sandbox, client

  setup(function()
    sandbox = sandboxes.start()
  end)

  -- A new one each time: a 429 would stop the next test as well.
  before_each(function()
    client = safe.new {
      api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url, timeout = 10,
      -- What the server said is to be seen, not what a repetition made of it.
      max_attempts = 1,
    }
  end)

  after_each(function() client:close() end)

  teardown(function() sandbox:stop() end)

  local function answer(status, body, headers)
    sandbox:reset()
    sandbox:reply { status = status, body = body, headers = headers }
    local id, err = client:send_template { number = "+14155550123", template_name = "any_x", language = "en" }
    assert.is_nil(id)
    assert.is_true(connectly.is_error(err))
    return err
  end

  it("knows eighteen documented codes", function()
    assert.equal(18, #codes)
    local known = 0
    for _ in pairs(connectly.errors.codes) do
      known = known + 1
    end
    assert.equal(18, known)
  end)

  for _, code in ipairs(codes) do
    it("with " .. code .. " is rejected, and says what to do", function()
      local err = answer(400, cjson.encode { message = "m", code = code })
      assert.equal("rejected", err.kind)
      assert.equal("rejected", err.outcome)
      assert.equal(code, err.code)
      assert.equal(400, err.status)
      assert.is_false(err.retryable)
      assert.equal(connectly.errors.codes[code].hint, err.hint)
      assert.is_true(#err.hint > 0 and #connectly.errors.codes[code].meaning > 0)
      assert.truthy(tostring(err):find(code, 1, true))
    end)
  end

  it("with an unknown code and type passes through", function()
    local err = answer(422, cjson.encode { message = "m", code = "ERROR_CODE_OF_TOMORROW", type = "ERROR_TYPE_NEW" })
    assert.equal("ERROR_CODE_OF_TOMORROW", err.code)
    assert.equal("ERROR_TYPE_NEW", err.type)
    assert.equal("rejected", err.outcome)
    assert.equal("string", type(err.hint))
  end)

  it("keeps every field of the body", function()
    local err = answer(400, [[{"message":"for developers","type":"ERROR_TYPE_INVALID_REQUEST",
      "code":"ERROR_CODE_MESSAGE_TEXT_EMPTY","userTitle":"Title","userMessage":"Message",
      "cntTraceId":"15555555555555555555","details":{"a":[1,null,"b"]}}]])
    assert.equal("for developers", err.message)
    assert.equal("Title", err.user_title)
    assert.equal("Message", err.user_message)
    assert.equal("15555555555555555555", err.trace_id)
    assert.same({ a = { 1, cjson.null, "b" } }, err.details)
    assert.truthy(tostring(err):find("15555555555555555555", 1, true))
  end)

  it("keeps a trace id that is a bare number to its last digit", function()
    assert.equal("15555555555555555555", answer(400, '{"cntTraceId":15555555555555555555}').trace_id)
    assert.equal("1555555555555555555", answer(400, '{"cntTraceId":1555555555555555555}').trace_id)
  end)

  it("keeps numbers in its details to their last digit", function()
    assert.same({ wamid = "15555555555555555555", small = 3 },
      answer(400, '{"message":"m","details":{"wamid":15555555555555555555,"small":3}}').details)
  end)

  it("with nulls everywhere is an error all the same", function()
    local err = answer(400, [[{"message":null,"type":null,"code":null,"userTitle":null,"userMessage":null,
      "cntTraceId":null,"details":null}]])
    assert.equal("rejected", err.kind)
    assert.is_nil(err.code)
    assert.is_nil(err.details)
    assert.is_true(#err.message > 0)
  end)

  it("hides a number in the API's own text", function()
    local err = answer(400, '{"message":"no such number +14155550123 here"}')
    assert.equal("no such number +# here", err.message)
  end)

  it("stays one line whatever the server writes", function()
    local err = answer(400, [[{"message":"a\nb","code":"X\r\ny","cntTraceId":"1\u001b[0m"}]])
    assert.is_nil(tostring(err):find("%c"))
  end)

  local statuses = {
    { 301, "protocol", "rejected" }, { 400, "rejected", "rejected" }, { 401, "auth", "rejected" },
    { 403, "auth", "rejected" }, { 404, "rejected", "rejected" }, { 409, "rejected", "rejected" },
    { 413, "rejected", "rejected" }, { 418, "rejected", "rejected" }, { 429, "rate_limited", "not_sent" },
    { 500, "server", "unknown" }, { 502, "server", "unknown" }, { 503, "server", "unknown" }, { 504, "server", "unknown" },
  }
  local bodies = { json = '{"message":"m"}', html = "<html>no</html>", nothing = "", half = '{"message":"m' }

  for _, case in ipairs(statuses) do
    for name, body in pairs(bodies) do
      it(("of status %d with a body of %s is %s, %s"):format(case[1], name, case[2], case[3]), function()
        local err = answer(case[1], body)
        assert.equal(case[2], err.kind)
        assert.equal(case[3], err.outcome)
        assert.equal(case[1], err.status)
        assert.equal(1, err.attempts)
      end)
    end
  end

  it("of status 429 says when to come again", function()
    local err = answer(429, "", { ["Retry-After"] = "7" })
    assert.equal(7, err.retry_after)
    assert.is_true(err.retryable)
  end)

  local successes = {
    { "no body", "" }, { "HTML", "<html>fine</html>" }, { "no id", "{}" }, { "an empty id", '{"id":""}' },
    { "a null id", '{"id":null}' }, { "a number as id", '{"id":5}' }, { "a list", '[{"id":"x"}]' },
    { "half of it", '{"id":"01AR' }, { "two ids", '{"id":"a","id":"b"}' }, { "a deep body", ("["):rep(100000) },
    { "a zero byte in the id", '{"id":"a\\u0000b"}' },
  }
  for _, case in ipairs(successes) do
    it("is a success status with " .. case[1] .. ": it may have arrived", function()
      local err = answer(200, case[2])
      assert.equal("protocol", err.kind)
      assert.equal("unknown", err.outcome)
      assert.is_false(err.retryable)
    end)
  end

  it("keeps the start of a body that could not be read, and not in its text", function()
    local err = answer(200, "<html>" .. ("x"):rep(5000))
    assert.equal("<html>" .. ("x"):rep(506), err.body)
    assert.is_nil(tostring(err):find("html", 1, true))
  end)

  for _, status in ipairs { 200, 201, 202 } do
    it(("is none with status %d and an id, of whatever form"):format(status), function()
      sandbox:reset()
      sandbox:reply { status = status, body = '{"id":"any-form.at_all"}' }
      local id = client:send_template { number = "+14155550123", template_name = "any_x", language = "en" }
      assert.equal("any-form.at_all", id)
    end)
  end

  it("names its constants", function()
    assert.equal("rate_limited", connectly.errors.kinds.RATE_LIMITED)
    assert.equal("not_sent", connectly.errors.outcomes.NOT_SENT)
    assert.is_false(connectly.is_error({ kind = "network" }))
    assert.is_false(connectly.is_error(nil))
  end)
end)
