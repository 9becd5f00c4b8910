-- The examples, each run as somebody would run it: a process of its own, with the
-- Lua under test, against a sandbox.

local cqueues_socket = require "cqueues.socket"
local luasocket = require "socket"
local process = require "spec.support.process"
local sandboxes = require "spec.support.sandbox"

local lua = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local usual_port = require "connectly.cli.usual_port" -- where an example without a key looks for a sandbox
local customer = "+14155550187"
local nobody = "+14155550123" -- whom they write to when nobody is named

local examples = { "send_template", "send_session", "carousel", "errors" }
local loop_modules = { loop_copas = "copas", loop_cqueues = "cqueues", loop_luv = "luv" }

--- Whether it loads, with what it needs itself; in a process of its own, because luv's
--- loop does not survive that busted unloads it.
local function is_installed(module)
  local status = os.execute(("%s -e %s >/dev/null 2>&1"):format(lua, process.quote("require '" .. module .. "'")))
  return status == true or status == 0
end

for name, module in pairs(loop_modules) do
  examples[#examples + 1] = is_installed(module) and name or nil
end

-- What the machine's own environment says must not decide a test.
local cleared = {
  "CONNECTLY_API_KEY", "CONNECTLY_BUSINESS_ID", "CONNECTLY_BASE_URL", "CONNECTLY_CA_FILE", "CONNECTLY_TO",
  "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
}

--- Runs examples/NAME.lua, or that of a copy, with variables set: all it wrote, its exit
--- code.
local function run(name, variables, number, folder, limit)
  local words = { "env" }
  for _, variable in ipairs(cleared) do
    words[#words + 1] = "-u " .. variable
  end
  for variable, value in pairs(variables) do
    words[#words + 1] = process.quote(variable .. "=" .. value)
  end
  words[#words + 1] = ("%s%s %s/%s.lua %s"):format(
    limit or "timeout 60 ", process.quote(lua), folder or "examples", name, number or "")
  local pipe = io.popen(table.concat(words, " ") .. " 2>&1; echo exit=$?")
  local output, code = pipe:read("*a"):match("^(.*)exit=(%d+)\n$")
  pipe:close()
  return output, tonumber(code)
end

local function settings(sandbox, changes)
  local variables = {
    CONNECTLY_API_KEY = sandbox.api_key, CONNECTLY_BUSINESS_ID = sandbox.business_id,
    CONNECTLY_BASE_URL = sandbox.base_url, CONNECTLY_CA_FILE = sandbox.ca_file,
  }
  for variable, value in pairs(changes or {}) do
    variables[variable] = value ~= "none" and value or nil
  end
  return variables
end

local function has(text, part)
  assert(text:find(part, 1, true), ("%q expected in:\n%s"):format(part, text))
end

local function has_not(text, part)
  assert(not text:find(part, 1, true), ("%q not expected in:\n%s"):format(part, text))
end

local function count_lines(text)
  return select(2, text:gsub("\n", ""))
end

--- A copy of the examples that looks for a sandbox at this port: the usual one may be held
--- by another program of this machine.
local function copy_examples(port)
  local folder = process.capture("mktemp -d"):gsub("%s+$", "")
  os.execute(("cp examples/*.lua %s && sed -i 's/%d/%d/g' %s/*.lua"):format(folder, usual_port, port, folder))
  return folder
end

describe("an example", function()
  local plain, tls

  setup(function()
    -- A canary for a key: no output may show it.
    plain = sandboxes.start { port = 0, api_key = "canary-key", business_id = "canary-business" }
    tls = sandboxes.start { port = 0, tls = true, api_key = "canary-key", business_id = "canary-business" }
  end)

  teardown(function()
    plain:stop()
    tls:stop()
  end)

  before_each(function()
    plain:reset()
    tls:reset()
  end)

  local function run_clean(name, variables, number)
    local output, code = run(name, variables, number)
    has_not(output, "canary")
    has_not(output, customer:sub(2))
    has_not(output, "traceback")
    return output, code
  end

  --- It printed the id of the one message that the sandbox took.
  local function assert_sent(sandbox, output, code)
    assert.equal(0, code, output)
    local deliveries = sandbox:deliveries()
    assert.equal(1, #deliveries, output)
    assert.equal(deliveries[1].id, output:match("sent: (%w+)"))
    assert.equal(customer, deliveries[1].number)
    return deliveries[1]
  end

  it("sends a template message", function()
    local output, code = run_clean("send_template", settings(plain), customer)
    local delivery = assert_sent(plain, output, code)
    assert.equal("send_template", delivery.endpoint)
    has(output, "HTTP/1.1")
    assert.equal(2, count_lines(output))
  end)

  it("trusts the certificates of CONNECTLY_CA_FILE", function()
    local output, code = run_clean("send_template", settings(tls), customer)
    assert_sent(tls, output, code)
    has(output, "HTTP/2")
  end)

  it("fails over TLS that it has no reason to trust", function()
    local output, code = run("send_template", settings(tls, { CONNECTLY_CA_FILE = "none" }), customer)
    assert.equal(1, code)
    has(output, "outcome not_sent")
    has_not(output, "canary")
    assert.equal(0, #tls:deliveries())
  end)

  it("sends a session message to a customer who has written", function()
    plain:inbound { number = customer }
    local output, code = run_clean("send_session", settings(plain), customer)
    assert.equal("send_session", assert_sent(plain, output, code).endpoint)
  end)

  it("says what to do instead of a session message", function()
    local output, code = run_clean("send_session", settings(plain), customer)
    assert.equal(1, code)
    assert.equal("not sent: the customer has never written\nwhat to do: send a template instead\n", output)
    assert.equal(0, #plain:deliveries())
  end)

  it("sends a carousel", function()
    local output, code = run_clean("carousel", settings(plain), customer)
    local delivery = assert_sent(plain, output, code)
    has(delivery.body, "card.0.body.0")
    has(delivery.body, "card.1.body.0")
    has(output, "with 2 cards")
  end)

  it("checks messages without anybody's help", function()
    local output, code = run_clean("check_template", {})
    assert.equal(0, code, output)
    has(output, "An order: it fits\n  preview: Hi Ana, order A-1 left our store.\n")
    has(output, "problem: body[3]: the template has 2 body variables, 3 were given")
    has(output, "did you mean `order_shipped`?")
    has(output, "problem: language: ")
    assert.equal(0, select(2, plain:deliveries()))
  end)

  for name, module in pairs(loop_modules) do
    it("sends from a loop that goes on meanwhile: " .. name, function()
      if not is_installed(module) then
        return pending(module .. " is not installed for this Lua")
      end
      local output, code = run_clean(name, settings(plain), customer)
      assert_sent(plain, output, code)
      assert(output:find("meanwhile .-%d+"), output)
    end)
  end

  it("takes the recipient from CONNECTLY_TO", function()
    local output, code = run_clean("carousel", settings(plain, { CONNECTLY_TO = customer }))
    assert_sent(plain, output, code)
  end)

  it("prefers the argument to CONNECTLY_TO", function()
    local output, code = run_clean("carousel", settings(plain, { CONNECTLY_TO = "+14155550199" }), customer)
    assert_sent(plain, output, code)
  end)

  for _, name in ipairs(examples) do
    it("asks for a recipient: " .. name, function()
      local output, code = run_clean(name, settings(plain))
      assert.equal(1, code)
      has(output, "To whom?")
      has(output, "CONNECTLY_TO")
      assert.equal(1, count_lines(output))
      assert.equal(0, select(2, plain:deliveries()))
    end)

    it("names the business id when that alone is missing: " .. name, function()
      local output, code = run(name, settings(plain, { CONNECTLY_BUSINESS_ID = "none" }), customer)
      assert.equal(1, code)
      has(output, "CONNECTLY_BUSINESS_ID")
      has_not(output, "canary")
    end)
  end

  describe("of errors", function()
    it("shows the three of them", function()
      local output, code = run_clean("errors", settings(plain), customer)
      assert.equal(0, code, output)
      has(output, "argument, not_sent, not retryable")
      has(output, "langauge: unknown field; did you mean `language`?")
      has(output, "problem:  number: ")
      has(output, "problem:  body[2]: string or number expected, got boolean")
      has(output, "rejected, rejected, not retryable")
      has(output, "ERROR_CODE_MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION")
      has(output, "hint:     send a template instead")
      has(output, "network, not_sent, retryable")
      local decisions = {}
      for decision in output:gmatch("decision: (%w+)") do
        decisions[#decisions + 1] = decision
      end
      assert.same({ "give", "give", "resend" }, decisions)
      assert.equal(0, #plain:deliveries())
    end)

    it("knows the end of the window", function()
      plain:inbound { number = customer }
      plain:clock { advance = 24 * 3600 + 1 }
      local output, code = run_clean("errors", settings(plain), customer)
      assert.equal(0, code, output)
      has(output, "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW")
    end)

    it("does not send again what may have arrived", function()
      plain:reply { status = 500, deliver = true }
      local output, code = run_clean("errors", settings(plain), customer)
      assert.equal(0, code, output)
      has(output, "server, unknown, not retryable")
      has(output, "decision: look for the delivery webhook")
      assert.equal(1, #plain:deliveries())
    end)

    it("says so when the session message went", function()
      plain:inbound { number = customer }
      local output, code = run_clean("errors", settings(plain), customer)
      assert_sent(plain, output, code)
    end)
  end)
end)

describe("an example without a key", function()
  local function goes_to_sandbox(port)
    return ("CONNECTLY_API_KEY is not set: this goes to the sandbox at http://127.0.0.1:%d."):format(port)
  end

  --- Of the messages to a number, oldest first.
  local function ids_for(sandbox, number)
    local ids = {}
    for _, delivery in ipairs((sandbox:deliveries())) do
      ids[#ids + 1] = delivery.number == number and delivery.id or nil
    end
    return ids
  end

  local function assert_no_sandbox(name, port, limit)
    local folder = copy_examples(port)
    local output, code = run(name, {}, nil, folder, limit)
    os.execute("rm -r " .. folder)
    assert.equal(1, code)
    assert.equal(1, count_lines(output))
    has(output, "CONNECTLY_API_KEY is not set")
    has(output, "connectly sandbox")
  end

  it("looks where a sandbox usually listens", function()
    local file = assert(io.open("examples/environment.lua"))
    has(file:read("*a"), ("http://127.0.0.1:%d"):format(usual_port))
    file:close()
  end)

  for _, name in ipairs(examples) do
    it("says how to start a sandbox when there is none: " .. name, function()
      -- Bound, so that no other program gets the port, but not listening.
      local refusing = assert(luasocket.tcp4())
      assert(refusing:bind("127.0.0.1", 0))
      finally(function() refusing:close() end)
      assert_no_sandbox(name, (select(2, refusing:getsockname())))
    end)
  end

  it("says so within seconds when another program holds the port and never replies", function()
    local silent = cqueues_socket.listen("127.0.0.1", 0)
    finally(function() silent:close() end)
    assert_no_sandbox("send_template", select(3, silent:localname()), "timeout 20 ")
  end)

  it("goes to the sandbox that is up", function()
    local sandbox = sandboxes.start { port = 0 }
    local port = sandbox.base_url:match(":(%d+)$")
    local folder = copy_examples(port)
    finally(function()
      sandbox:stop()
      os.execute("rm -r " .. folder)
    end)
    local number = customer
    sandbox:inbound { number = number }
    for count, name in ipairs(examples) do
      local output, code = run(name, { CONNECTLY_API_KEY = "" }, number, folder)
      assert.equal(0, code, output)
      has(output, goes_to_sandbox(port))
      local ids = ids_for(sandbox, number)
      assert.equal(count, #ids)
      assert.equal(ids[count], output:match("sent: (%w+)"))
    end
    local id = run("send_template", {}, nil, folder):match("sent: (%w+)")
    has(table.concat(ids_for(sandbox, nobody), " "), id)
  end)
end)
