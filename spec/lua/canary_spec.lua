-- A marked key, number and text: none of them may show in anything that is
-- printed or logged.

local cjson = require "cjson"
local connectly = require "connectly"
local safe = require "connectly.safe"
local faults = require "spec.support.faults"

local KEY = 'canary+/="\\key'
local NUMBER = "+16045550199"
local TEXT = "canary text of a customer"
local SECRETS = { KEY, NUMBER:sub(2), "555-0199", "555.0199", "555 0199", TEXT }

--- Everything that can be reached and printed of a value.
local function show(value, seen, out)
  seen, out = seen or {}, out or {}
  out[#out + 1] = tostring(value)
  local metatable = debug.getmetatable(value)
  if type(value) == "table" and not seen[value] then
    seen[value] = true
    for key, item in next, value do
      show(key, seen, out)
      show(item, seen, out)
    end
  end
  if type(metatable) == "table" and not seen[metatable] then
    seen[metatable] = true
    show(metatable, seen, out)
  end
  return out
end

-- As it is, in JSON, in JSON with escapes for all, percent-encoded.
local function spellings(secret)
  local escaped = secret:gsub(".", function(c) return ("\\u%04x"):format(c:byte()) end)
  local percent = secret:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end)
  return { secret, cjson.encode(secret):sub(2, -2), (secret:gsub('["\\]', "\\%0")), escaped, percent }
end

local function assert_clean(what, value)
  local text = table.concat(show(value), "\n")
  for _, secret in ipairs(SECRETS) do
    for _, spelling in ipairs(spellings(secret)) do
      assert(not text:find(spelling, 1, true), what .. " shows a secret: " .. text)
    end
  end
end

describe("the canary", function()
  local server

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)

  it("would be seen", function()
    assert.has_error(function() assert_clean("a key", { err = "x" .. KEY }) end)
    assert.has_error(function() assert_clean("a number", { [NUMBER] = 1 }) end)
    assert.has_error(function() assert_clean("a number", { "(604) 555-0199" }) end)
    assert.has_error(function() assert_clean("escapes", { spellings(KEY)[4] }) end)
  end)

  local function new(behaviour, events, port)
    return assert(safe.new {
      api_key = KEY, business_id = behaviour, base_url = server:url(port or "https"), ca_file = server.ca_file,
      timeout = 5, max_attempts = 1, on_event = function(event) events[#events + 1] = event end,
    })
  end

  local message = {
    number = NUMBER, template_name = "x", language = "en", body = { TEXT }, callback_data = { note = TEXT },
  }

  for _, behaviour in ipairs {
    "ok", "echo-key", "echo-key-500", "echo-key-200", "echo-key-html", "echo-key-html-200", "close-after-request",
    "echo-number", "echo-number-500", "echo-number-200",
    "400", "401", "429", "500", "html-200", "cut-json", "301", "invalid-utf8", "big-body", "dead-connection",
  } do
    it("stays silent through " .. behaviour, function()
      local events = {}
      local client = new(behaviour, events)
      for _ = 1, 2 do
        local _, second = client:send_template(message)
        assert_clean("the result", second)
        assert_clean("the line of it", tostring(second))
      end
      _, events.session = client:send_session { number = NUMBER, text = TEXT }
      assert_clean("an event", events)
      assert_clean("the client", client)
      client:close()
      assert_clean("the closed client", client)
    end)
  end

  it("stays silent through what libcurl quotes of a reply", function()
    local events = {}
    local _, err = new("echo-key-encoding", events, "https1"):send_template(message)
    assert.equal("unknown", err.outcome)
    assert_clean("the result", err)
    assert_clean("the line of it", tostring(err))
    assert_clean("an event", events)
  end)

  it("leaves of a number what tells that there was one, and all other digits", function()
    local events = {}
    local _, err = new("echo-number", events):send_template(message)
    assert.equal("ERROR_CODE_+#_+#_#", err.code)
    assert.equal("ERROR_TYPE_#_+#", err.type)
    assert.equal("+#", err.trace_id)
    assert.equal("cannot reach (#, +#, +#, # or +#", err.message)
    assert.equal(err.code, events[#events].code)
    assert.equal("message to " .. NUMBER, (new("echo-number-200", events):send_template(message))) -- it is the id
    assert.equal("message to +#", events[#events].id)
    _, err = new("400", events):send_template(message)
    assert.equal("15555555555555555555", err.trace_id)
  end)

  it("stays silent when the message is wrong", function()
    local client = new("ok", {})
    for _, wrong in ipairs {
      { number = NUMBER .. "x", [TEXT] = 1, language = TEXT, template_name = {}, body = { TEXT, true } },
      { number = NUMBER:sub(2), template_name = "x", language = "en", parameters = { { name = "x", value = TEXT } } },
      { number = NUMBER, template_name = "x", language = "en", header = { image = TEXT } },
      { number = NUMBER, template_name = "x", language = "en", callback_data = TEXT:rep(100) },
      { number = { NUMBER }, sender = NUMBER .. "1234567" },
    } do
      local _, err = client:send_template(wrong)
      assert.equal("argument", err.kind)
      wrong[TEXT] = nil
      local text = table.concat(show(err), "\n")
      assert.is_nil(text:find(NUMBER:sub(2), 1, true), text)
      assert.is_nil(text:find(KEY, 1, true), text)
    end
  end)

  it("stays silent when the key stands where a name belongs", function()
    local _, err = safe.new { api_key = KEY, business_id = "b", [KEY] = true }
    assert_clean("the error", err)
    local client = new("ok", {})
    _, err = client:send_template {
      number = NUMBER, template_name = "x", language = "en", [KEY] = 1, parameters = { [KEY] = "x" },
    }
    assert.equal(2, #err.problems)
    assert_clean("the error", err)
  end)

  it("stays silent when the options are wrong", function()
    for _, wrong in ipairs {
      { api_key = KEY .. "\n", business_id = "b" }, { api_key = KEY }, { api_key = KEY, business_id = "b", base_url = "x" },
      { api_key = " " .. KEY, business_id = "b" }, { api_key = KEY, business_id = "b", timeout = "x" },
      { api_key = { KEY }, business_id = "b" },
    } do
      local _, err = safe.new(wrong)
      assert_clean("the error", err)
    end
  end)

  it("is not in what a dry run shows", function()
    local client = new("ok", {})
    local body, target = client:dry_run("send_template", message)
    assert.is_nil(body:find(KEY, 1, true))
    assert_clean("the target", target)
  end)

  it("is not in a traceback", function()
    local client = connectly.new {
      api_key = KEY, business_id = "echo-key", base_url = server:url("https"), ca_file = server.ca_file,
    }
    local _, text = xpcall(function() client:send_template(message) end, function(err)
      return debug.traceback(tostring(err), 1)
    end)
    assert_clean("the traceback", text)
  end)
end)
