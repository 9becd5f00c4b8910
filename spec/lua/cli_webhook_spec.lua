-- connectly webhook verify, listen and trigger, run as processes.

local basexx = require "basexx"
local cjson = require "cjson"
local cli = require "spec.support.cli"
local fixtures = require "spec.support.fixtures"
local hmac = require "openssl.hmac"
local http_request = require "http.request"
local socket = require "cqueues.socket"

local SECRET = "example-secret"
-- API: webhooks, delivery mechanics.
local BODY = '{"topic":"delivery_status","timestamp":"1700000000","statusUpdate":{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV",'
  .. '"status":"read","error":null}}'
local SIGNATURE = "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU="
local READY = "^listening on (http://%S+)$"
local SET = { CONNECTLY_WEBHOOK_SECRET = SECRET }

local hook = require("connectly.webhook").new { secret = SECRET }

local function sign(body, secret)
  return basexx.to_base64(hmac.new(secret or SECRET, "sha256"):final(body))
end

local function has(text, part)
  assert(text:find(part, 1, true), ("%q expected in:\n%s"):format(part, text))
end

local function has_not(text, part)
  assert(not text:find(part, 1, true), ("%q not expected in:\n%s"):format(part, text))
end

local function in_file(content, body)
  local path = cli.file(content)
  local is_fine, problem = pcall(body, path)
  os.remove(path)
  assert(is_fine, problem)
end

describe("connectly webhook", function()
  it("lists what it does", function()
    local output, code = cli.run("webhook --help")
    assert.equal(0, code)
    for _, action in ipairs { "listen", "trigger", "verify" } do
      has(output, action)
    end
    output, code = cli.run("webhook")
    assert.equal(1, code)
    has(output, "a command is required")
  end)

  it("wants a secret, and takes none from its arguments", function()
    for _, action in ipairs { "verify --signature x", "listen --port 0", "trigger --kind read --url http://127.0.0.1:1/" } do
      local output, code = cli.run("webhook " .. action)
      assert.equal(1, code)
      assert.equal(("connectly webhook %s: set CONNECTLY_WEBHOOK_SECRET, or give --secret-file\n"):format(
        action:match("^%l+")), output)
      output, code = cli.run("webhook " .. action, { variables = { CONNECTLY_WEBHOOK_SECRET = "" } })
      assert.equal(1, code)
      has(output, "set CONNECTLY_WEBHOOK_SECRET")
      output, code = cli.run("webhook " .. action .. " --secret canary")
      assert.equal(1, code)
      has(output, "Usage")
    end
  end)

  it("says in one line what is wrong with the secret's file", function()
    local output, code = cli.run("webhook verify --signature x --secret-file /nonexistent/file")
    assert.equal(1, code)
    assert.equal("connectly webhook verify: cannot read the secret: /nonexistent/file: No such file or directory\n", output)
    local problems = { [""] = "it is empty", ["\n"] = "the secret's file is empty", [("x"):rep(70000)] = "it is too long" }
    for content, problem in pairs(problems) do
      in_file(content, function(path)
        output, code = cli.run("webhook verify --signature x --secret-file " .. path, { variables = SET })
        assert.equal(1, code)
        has(output, problem)
        assert.equal(1, select(2, output:gsub("\n", "")))
      end)
    end
  end)

  it("says in one line that a part is missing", function()
    local hidden = "package.preload['http.server'] = function() error 'hidden' end"
    local output, code = cli.run("webhook listen", { variables = SET, first = hidden })
    assert.equal(1, code)
    assert.equal("connectly webhook listen: no module http.server: install it with: luarocks install http lua-cjson\n", output)
    output, code = cli.run("webhook verify --signature x", {
      variables = { CONNECTLY_WEBHOOK_SECRET = SECRET, LUA_CPATH = "/nonexistent/?.so" },
    })
    assert.equal(1, code)
    has(output, "connectly webhook verify: connectly: the C module connectly.native was not found")
    assert.equal(1, select(2, output:gsub("\n", "")))
  end)
end)

describe("connectly webhook verify", function()
  local function verify(signature, options)
    return cli.run(("webhook verify --signature '%s'"):format(signature), options)
  end

  it("knows the documentation's vector", function()
    local output, code = verify(SIGNATURE, { input = BODY, variables = SET })
    assert.equal("the signature is good\n", output)
    assert.equal(0, code)
  end)

  it("takes the secret from a file, with or without a newline at its end", function()
    for _, ending in ipairs { "", "\n", "\r\n" } do
      in_file(SECRET .. ending, function(path)
        local _, code = cli.run(("webhook verify --signature %s --secret-file %s"):format(SIGNATURE, path), {
          input = BODY, variables = { CONNECTLY_WEBHOOK_SECRET = "another" },
        })
        assert.equal(0, code)
      end)
    end
  end)

  it("refuses another body, another signature and another secret", function()
    for _, case in ipairs {
      { SIGNATURE, BODY:gsub("read", "sent"), SECRET }, { sign(BODY, "another"), BODY, SECRET }, { SIGNATURE, BODY, "another" },
      { "", BODY, SECRET }, { SIGNATURE, BODY, SECRET .. "\n" },
    } do
      local output, code = verify(case[1], { input = case[2], variables = { CONNECTLY_WEBHOOK_SECRET = case[#case] } })
      assert.equal("the signature is not of this body and this secret\n", output)
      assert.equal(1, code)
    end
  end)

  it("says what is often wrong with a body", function()
    for _, ending in ipairs { "\n", "\r\n" } do
      local output, code = verify(SIGNATURE, { input = BODY .. ending, variables = SET })
      assert.equal(1, code)
      has(output, "without the newline at the body's end")
    end
    local output, code = verify(SIGNATURE, { variables = SET })
    assert.equal(1, code)
    has(output, "no body came on standard input")
  end)

  it("takes any bytes", function()
    local body = "\0\255\n\r\n" .. ("x"):rep(3000000)
    local _, code = verify(sign(body), { input = body, variables = SET })
    assert.equal(0, code)
  end)

  it("has a ceiling", function()
    local output, code = verify(SIGNATURE, { input = ("x"):rep(16 * 1024 * 1024 + 1), variables = SET })
    assert.equal(1, code)
    has(output, "more than 16777216 bytes")
  end)
end)

describe("connectly webhook listen", function()
  local server

  local function start(arguments)
    server = cli.start("webhook listen --port 0 " .. (arguments or ""), { variables = SET, ready = READY })
  end

  after_each(function()
    if server then
      server:stop()
      server = nil
    end
  end)

  local function post(body, signature, method)
    local request = http_request.new_from_uri(server.captured .. "/any/path?x=1")
    request.headers:upsert(":method", method or "POST")
    if signature then
      request.headers:upsert("x-connectly-hmac-sha256", signature)
    end
    if body then
      request:set_body(body)
    end
    local headers, stream = request:go(10)
    assert(headers, stream)
    stream:shutdown()
    return headers:get(":status")
  end

  it("prints an event of each kind, and nothing of the customer", function()
    start()
    for _, fixture in ipairs(fixtures.read("webhooks")) do
      assert.equal("200", post(fixture.body, sign(fixture.body)))
      local line = server:read_line()
      local event = cjson.decode(line)
      assert.equal(fixture.expect.kind, event.kind)
      assert.equal(fixture.expect.id, event.id)
      assert.equal(fixture.expect.status, event.status)
      assert.equal(fixture.expect.error and fixture.expect.error.code, event.error and event.error.code)
      assert.is_nil(event.raw)
      assert.is_nil(event.body)
      local expect = fixture.expect
      for _, personal in ipairs {
        expect.from, expect.to, expect.text, expect.customer and expect.customer.name, expect.button and expect.button.payload,
        expect.attachments and expect.attachments[1] and expect.attachments[1].url,
        expect.report and expect.report.last_run and expect.report.last_run.result and expect.report.last_run.result.url,
      } do
        has_not(line, cjson.encode(personal))
      end
      assert(expect.callback_data == nil or event.callback_data == "hidden", line)
    end
  end)

  it("prints all of it when it is told to", function()
    start("--show")
    for _, fixture in ipairs(fixtures.read("webhooks")) do
      assert.equal("200", post(fixture.body, sign(fixture.body)))
      local event = cjson.decode((server:read_line()))
      for _, field in ipairs { "kind", "from", "to", "text", "customer", "button", "referral", "report", "callback_data" } do
        assert.same(fixture.expect[field], event[field])
      end
      assert.is_nil(event.raw)
      assert.equal(event.kind == "unknown" and hook:parse(fixture.body).body ~= nil, event.body ~= nil)
    end
  end)

  it("wants a POST with a good signature", function()
    start()
    assert.equal("401", post(BODY))
    assert.equal("401: its signature is missing or of another secret", server:read_line())
    assert.equal("401", post(BODY, sign(BODY, "another")))
    server:read_line()
    assert.equal("405", post(nil, nil, "GET"))
    assert.equal("405: a webhook is a POST", server:read_line())
    assert.equal("413", post(("x"):rep(1024 * 1024 + 1), SIGNATURE))
    assert.equal("413: its body is too big", server:read_line())
    assert.equal("200", post(BODY, SIGNATURE))
    assert.equal("read", cjson.decode((server:read_line())).status)
  end)

  it("survives what is no request", function()
    start()
    local port = tonumber(server.captured:match(":(%d+)$"))
    for _, bytes in ipairs {
      "x", "\0\0\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nx", "POST / HTTP/1.1\r\n: \r\n\r\n",
    } do
      local connection = socket.connect("127.0.0.1", port)
      connection:onerror(function(_, _, code) return code end)
      connection:settimeout(5)
      connection:write(bytes)
      connection:flush()
      connection:shutdown("w")
      connection:read("*a")
      connection:close()
    end
    assert.equal("200", post(BODY, SIGNATURE))
    repeat
      local line = server:read_line()
    until line:find("^{")
  end)

  it("says that it cannot listen", function()
    start()
    local port = server.captured:match(":(%d+)$")
    local output, code = cli.run("webhook listen --port " .. port, { variables = SET })
    assert.equal(1, code)
    has(output, "connectly webhook listen: cannot listen: ")
    output, code = cli.run("webhook listen --port 70000", { variables = SET })
    assert.equal(1, code)
    has(output, "a port is a number from 0 to 65535")
  end)

  it("ends when nobody reads what it prints", function()
    server = cli.start("webhook listen --port 0", {
      variables = SET, ready = READY, shell = "exec 3>&1; ( %s 2>&3; echo code=$? >&3 ) | true",
    })
    assert.equal("500", post(BODY, SIGNATURE))
    assert.equal("connectly webhook listen: cannot write the line of an event", server:read_line())
    assert.equal("code=1", server:read_line())
  end)

  it("ends in order when it is told to", function()
    start()
    local pid = server.pid
    os.execute(("kill -TERM %d"):format(pid))
    assert.is_nil(server:read_line())
  end)

  describe("with connectly webhook trigger", function()
    local kinds = {
      sent = { "status", "sent" }, delivered = { "status", "delivered" }, read = { "status", "read" },
      failed = { "status", "delivery_failed" }, text = { "message" }, media = { "message" }, button = { "button" },
      referral = { "message" }, report = { "report" },
    }

    local function trigger(arguments, variables)
      return cli.run(("webhook trigger --url %s/hook %s"):format(server.captured, arguments), { variables = variables or SET })
    end

    for kind, expected in pairs(kinds) do
      it("takes in a webhook of kind " .. kind, function()
        start "--show"
        local output, code = trigger("--kind " .. kind)
        assert.equal(0, code, output)
        local event = cjson.decode((server:read_line()))
        assert.equal(expected[1], event.kind)
        assert.equal(expected[2], event.status)
        assert(math.abs(event.timestamp - os.time()) < 60)
        if event.kind == "status" then
          assert.equal("+14155550123", event.to)
          assert.equal(26, #event.id)
          assert.equal(("%s of %s: answered 200\n"):format(kind, event.id), output)
        elseif event.kind ~= "report" then
          assert.equal("+14155550123", event.from)
          assert(event.text or event.attachments)
        end
        assert.equal(kind == "failed" and "15555555555555555555" or nil, event.error and event.error.trace_id)
        assert.equal(kind == "referral", event.referral ~= nil)
      end)
    end

    it("names the message it is told to name", function()
      start()
      for _, kind in ipairs { "read", "button", "report" } do
        local _, code = trigger("--kind " .. kind .. [[ --id 'a"b%1']])
        assert.equal(0, code)
        assert.equal('a"b%1', cjson.decode((server:read_line())).id)
      end
      local output, code = trigger "--kind text --id a"
      assert.equal(1, code)
      assert.equal("connectly webhook trigger: --id: a webhook of kind text has none\n", output)
    end)

    it("says that it was refused", function()
      start()
      local output, code = trigger("--kind text", { CONNECTLY_WEBHOOK_SECRET = "another" })
      assert.equal(1, code)
      assert.equal("text: answered 401\n", output)
    end)

    it("says that nobody answers, and what is no address or kind", function()
      local output, code = cli.run("webhook trigger --kind text --url http://127.0.0.1:1/", { variables = SET })
      assert.equal(1, code)
      has(output, "connectly webhook trigger: no answer: ")
      for _, url in ipairs { "nowhere", "ftp://127.0.0.1/", "http://", "''", "http://[" } do
        output, code = cli.run("webhook trigger --kind text --url " .. url, { variables = SET })
        assert.equal(1, code, url)
        has(output, "--url: an address with http:// or https:// expected")
      end
      output, code = cli.run("webhook trigger --kind tex --url http://127.0.0.1:1/", { variables = SET })
      assert.equal(1, code)
      has(output, "must be one of")
    end)
  end)
end)
