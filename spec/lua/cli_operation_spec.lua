-- The commands for the API's operations, run as processes with the Lua under test.

local cjson = require "cjson"
local faults = require "spec.support.faults"
local native = require "connectly.loader"
local process = require "spec.support.process"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"

local lua = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local program = "lua/connectly/cli/main.lua"

local KEY = "canary-key-of-nobody"
local NUMBER = "+16045550199"
local TEXT = "canary text of a customer"

local cleared = {
  "CONNECTLY_API_KEY", "CONNECTLY_BUSINESS_ID", "CONNECTLY_BASE_URL", "CONNECTLY_CA_FILE",
  "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
}

-- A message for each operation, and the options of a command line that say the same.
local messages = {
  send_template = { number = NUMBER, template_name = "order_shipped", language = "en", body = { TEXT } },
  send_session = { sender = "+14155550100", number = NUMBER, text = TEXT },
  send_campaigns = { entries = { { number = NUMBER, campaign_name = "winter", variables = { name = TEXT } } } },
  create_webhook = { topic = "messages", address = "https://hooks.example.com/in" },
  ensure_webhook = { topic = "messages", address = "https://hooks.example.com/in" },
  list_webhooks = {},
  update_webhook = { id = "wh/1", address = "https://hooks.example.com/new" },
  delete_webhook = { id = "wh/1" },
  create_template = {
    name = "order_shipped", language = "en", category = "utility",
    components = { { type = "BODY" } }, -- one member: the order of more is lua-cjson's in this spec
  },
  list_templates = {},
  quality_signals = {},
  create_asset = { uri = "https://example.com/picture.png", id = "picture" },
  get_asset = { id = "a b" },
  list_reports = { type = "delivery" },
  request = { method = "POST", path = "/new/thing", body = { number = NUMBER } },
}

local options_of = {
  create_webhook = "--topic messages --address https://hooks.example.com/in",
  ensure_webhook = "--topic messages --address https://hooks.example.com/in",
  update_webhook = "--id wh/1 --address https://hooks.example.com/new",
  delete_webhook = "--id wh/1",
  create_asset = "--uri https://example.com/picture.png --id picture",
  get_asset = "--id 'a b'",
  list_reports = "--type delivery",
  list_webhooks = "", list_templates = "", quality_signals = "",
}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local directory

--- The words of a shell that run the command line.
local function command_line(arguments, variables, first)
  local words = { "env" }
  for _, variable in ipairs(cleared) do
    words[#words + 1] = "-u " .. variable
  end
  for variable, value in pairs(variables or {}) do
    words[#words + 1] = process.quote(variable .. "=" .. value)
  end
  words[#words + 1] = ("%s -e %s %s %s"):format(process.quote(lua), process.quote(first or ""), program, arguments)
  return table.concat(words, " ")
end

--- Runs `connectly ARGUMENTS`: { out, err, code }. Without `input`, standard input is
--- one that never ends: what waits for it is ended by `timeout`, with 124.
local function run(arguments, input, variables, first)
  local stdin = "<> " .. directory .. "/endless"
  if input then
    write(directory .. "/in", input)
    stdin = "< " .. directory .. "/in"
  end
  local line = ("timeout 30 %s %s > %s/out 2> %s/err; echo $?"):format(
    command_line(arguments, variables, first), stdin, directory, directory)
  local code = tonumber(process.capture(line))
  local ended = { out = read(directory .. "/out"), err = read(directory .. "/err"), code = code }
  assert(not (ended.out .. ended.err):find("traceback", 1, true), ended.err)
  assert(not (ended.out .. ended.err):find(KEY, 1, true), "the key was shown")
  return ended
end

local function typed(operation)
  return (operation:gsub("_", "-"))
end

local function names()
  local list = { "ensure_webhook" }
  for _, operation in ipairs(native.operations()) do
    list[#list + 1] = operation.name
  end
  return list
end

local function shape_of(name)
  for _, operation in ipairs(native.operations()) do
    if operation.name == name or operation.name == "create_webhook" and name == "ensure_webhook" then
      return native.shapes()[operation.shape]
    end
  end
end

local function has(text, part)
  assert(text:find(part, 1, true), ("%q expected in:\n%s"):format(part, text))
end

local function has_not(text, part)
  assert(not text:find(part, 1, true), ("%q not expected in:\n%s"):format(part, text))
end

setup(function()
  directory = process.capture("mktemp -d"):gsub("\n$", "")
  assert(process.capture("mkfifo " .. directory .. "/endless && echo made") == "made\n")
end)

teardown(function()
  os.execute("rm -r " .. directory)
end)

describe("a command", function()
  it("is there for each operation", function()
    local listed = run("--help", "").out
    for _, name in ipairs(names()) do
      has(listed, "\n   " .. typed(name) .. " ")
      assert.is_table(messages[name], name .. " has no message in this spec")
    end
    has(listed, "\n   sandbox ")
    has(listed, "\n   doctor ")
  end)

  for _, name in ipairs(names()) do
    it(("tells of its fields: %s"):format(name), function()
      local ended = run(typed(name) .. " --help", "")
      assert.equal(0, ended.code)
      for _, field in ipairs(shape_of(name)) do
        local line = ended.out:match("\n   (" .. field.name .. " [^\n]*)")
        assert(line, name .. " says nothing of " .. field.name)
        assert.equal(field.required, line:find("(required)", 1, true) ~= nil, line)
      end
      has(ended.out, "Exit status:")
    end)
  end

  it("says in words what each type is", function()
    local fields = require "connectly.cli.fields"
    for _, shape in pairs(native.shapes()) do
      for _, field in ipairs(shape) do
        has_not(fields.describe_type(field), field.type:find("_") and field.type or "\0")
      end
    end
  end)

  it("takes options only where no customer can be named", function()
    local common = {
      "help", "file", "key-file", "base-url", "ca-file", "timeout", "dry-run", "json",
    }
    for _, name in ipairs(names()) do
      local offered = {}
      for option in run(typed(name) .. " --help", "").out:gmatch("\n   [-h, ]*%-%-([%l-]+)") do
        offered[option] = true
      end
      for _, option in ipairs(common) do
        assert.is_true(offered[option], name .. " --" .. option)
        offered[option] = nil
      end
      assert.equal(name == "send_campaigns", offered["chunk-size"] == true)
      offered["chunk-size"] = nil
      assert.equal(options_of[name] == nil and name ~= "create_template", next(offered) == nil, name)
    end
  end)

  it("takes neither a key nor a number as an argument", function()
    for _, argument in ipairs { "--api-key=" .. KEY, "--key " .. KEY, "--number=" .. NUMBER, NUMBER, "--text=x" } do
      local ended = run("send-session --dry-run " .. argument, "{}")
      assert.equal(1, ended.code)
      has(ended.err, "Usage:")
      has_not(ended.err, NUMBER)
    end
  end)

  it("says that the C module is missing", function()
    local hidden = "package.preload['connectly.native'] = function() error 'hidden' end"
    local ended = run("send-template", "{}", nil, hidden)
    assert.equal(1, ended.code)
    has(ended.err, "connectly doctor")
    assert.equal(0, run("--version", "", nil, hidden).code)
  end)

  it("says that lua-cjson is missing", function()
    local ended = run("list-webhooks", "", nil, "package.preload.cjson = function() error 'hidden' end")
    assert.equal(1, ended.code)
    has(ended.err, "luarocks install lua-cjson")
    assert.equal(0, run("--help", "", nil, "package.preload.cjson = function() error 'hidden' end").code)
  end)
end)

describe("a dry run", function()
  local client

  setup(function()
    client = assert(safe.new { api_key = "k", business_id = "b" })
  end)

  local function expected(name)
    return client:dry_run(name == "ensure_webhook" and "create_webhook" or name, messages[name])
  end

  local function assert_same_request(name, ended)
    local body, request = expected(name)
    assert.equal(0, ended.code, ended.err)
    assert.equal(body ~= "" and body .. "\n" or "", ended.out)
    assert.equal(request.method .. " " .. request.path .. "\n", ended.err)
  end

  for _, name in ipairs(names()) do
    it(("prints what would go: %s"):format(name), function()
      local input = next(messages[name]) and cjson.encode(messages[name])
      assert_same_request(name, run(typed(name) .. " --dry-run" .. (options_of[name] and " --file -" or ""), input or "{}"))
      local ended = run(typed(name) .. " --dry-run --json --file -", input or "{}")
      local body, request = expected(name)
      local object = cjson.decode(ended.out)
      assert.equal(request.method, object.method)
      assert.equal(request.path, object.path)
      assert.same(body ~= "" and cjson.decode(body) or cjson.null, object.body)
    end)

    if options_of[name] then
      it(("reads nothing when options say all: %s"):format(name), function()
        assert_same_request(name, run(("%s --dry-run %s"):format(typed(name), options_of[name])))
      end)
    end
  end

  it("reads no more than its ceiling", function()
    for _, option in ipairs { "--file", "--key-file" } do
      local ended = run("send-session --dry-run " .. option .. " /dev/zero", "{}")
      assert.equal(1, ended.code)
      has(ended.err, option .. ": cannot be read: more than ")
    end
    has(run("send-session --dry-run --file /", "").err, "--file: cannot be read: ")
  end)

  it("joins options and input", function()
    local ended = run("create-template --dry-run --name order_shipped --language en --category utility",
      cjson.encode { components = messages.create_template.components, name = "another" })
    assert_same_request("create_template", ended)
  end)

  it("reads a file", function()
    write(directory .. "/message.json", cjson.encode(messages.send_session))
    assert_same_request("send_session", run(("send-session --dry-run --file %s/message.json"):format(directory)))
    local ended = run("send-session --dry-run --file /nonexistent/message.json")
    assert.equal(1, ended.code)
    has(ended.err, "--file: cannot be read")
  end)

  it("leaves JSON of any shape as it was written", function()
    local free = [[{"b": [ ], "a":{}, "t":"a \" [{ b\\", "n": [1.50, null , true],"": {} }]]
    local tight = [[{"b":[],"a":{},"t":"a \" [{ b\\","n":[1.50,null,true],"":{}}]]
    local ended = run("request --dry-run", ('{ "method":"POST" ,"path": "/new/thing", "body"\n:\n%s }'):format(free))
    assert.equal(0, ended.code, ended.err)
    assert.equal(tight .. "\n", ended.out)
    ended = run("create-template --dry-run --name x --language en --category utility",
      '{"template_components":[{"type":"BODY","buttons":[]}]}')
    has(ended.out, '[{"type":"BODY","buttons":[]}]')
  end)

  it("finds such members among any others", function()
    local json = require "connectly.json"
    json.keep_texts()
    local others = {
      [["x\"":1]], [=["":[]]=], [["a":"\"callback_data\":{"]], [["{":"}"]], [["n":-1.5e3]], [=["o":{"callback_data":[1]}]=],
    }
    for _, text in ipairs { "%s,%s", "%s , %s\n" } do
      for _, other in ipairs(others) do
        for _, order in ipairs { { other, '"callback_data":[]' }, { '"callback_data":[]', other } } do
          local message = { callback_data = {} }
          require("connectly.cli.verbatim").keep("{" .. text:format(order[1], order[2]) .. "}", message, "session")
          assert.equal("[]", json.text_of(message.callback_data), other)
        end
      end
    end
  end)

  it("of many entries prints each request", function()
    local entries = {}
    for index = 1, 250 do
      entries[index] = { number = ("+1604555%04d"):format(index), campaign_name = "winter" }
    end
    for option, sizes in pairs { [""] = { 100, 100, 50 }, ["--chunk-size 120"] = { 120, 120, 10 } } do
      local ended = run("send-campaigns --dry-run " .. option, cjson.encode { entries = entries })
      assert.equal(0, ended.code, ended.err)
      local counts = {}
      for line in ended.out:gmatch("[^\n]+") do
        counts[#counts + 1] = select(2, line:gsub("+1604555", ""))
      end
      assert.same(sizes, counts)
    end
  end)

  it("has chunks of a size that is one", function()
    for _, size in ipairs { "0", "1001", "2.5", "ten", "-1" } do
      local ended = run("send-campaigns --dry-run --chunk-size=" .. size, cjson.encode(messages.send_campaigns))
      assert.is_true(ended.code ~= 0)
      has(ended.err, "--chunk-size")
    end
    assert.is_true(run("send-template --dry-run --chunk-size 5", "{}").code ~= 0)
  end)

  it("finds what is wrong, and quotes nothing", function()
    local broken = { "", "  \n", TEXT, '{"text":"' .. TEXT, "[]", "3", '"' .. TEXT .. '"', '{"number":12345678901234567890}',
      ("["):rep(2000) .. ("]"):rep(2000) }
    for _, input in ipairs(broken) do
      local ended = run("send-session --dry-run --json", input)
      assert.equal(1, ended.code)
      has(ended.err, "connectly send-session: standard input: ")
      has_not(ended.out .. ended.err, "canary")
      has_not(ended.out .. ended.err, "1234567890")
      local object = cjson.decode(ended.out)
      assert.equal("argument", object.error.kind)
      assert.equal("not_sent", object.error.outcome)
    end
    local ended = run("send-template --dry-run", cjson.encode { number = "16045550199", body = { TEXT } })
    assert.equal(1, ended.code)
    has(ended.err, "connectly send-template: number: ")
    has(ended.err, "also: template_name: missing")
    has(ended.err, "hint: ")
    has_not(ended.err, "6045550199")
    has_not(ended.err, TEXT)
  end)
end)

describe("a command that sends", function()
  local hide = [[for _, name in ipairs { "http.server", "http.request", "cqueues", "openssl.ssl.context" } do
    package.preload[name] = function() error("not for this command: " .. name) end end]]
  local sandbox

  setup(function()
    sandbox = sandboxes.start { tls = true, api_key = KEY, business_id = "canary-business" }
  end)

  teardown(function() sandbox:stop() end)

  before_each(function()
    sandbox:reset()
  end)

  local function variables()
    return {
      CONNECTLY_API_KEY = KEY, CONNECTLY_BUSINESS_ID = "canary-business",
      CONNECTLY_BASE_URL = sandbox.base_url, CONNECTLY_CA_FILE = sandbox.ca_file,
    }
  end

  local template = { number = NUMBER, template_name = "hello_world", language = "en" }

  local function assert_delivered(ended, id)
    assert.equal(0, ended.code, ended.err)
    assert.equal("", ended.err)
    local deliveries = sandbox:deliveries()
    assert.equal(1, #deliveries)
    assert.equal(id, deliveries[1].id)
  end

  it("prints the id", function()
    sandbox:template { name = "hello_world", language = "en" }
    local ended = run("send-template", cjson.encode(template), variables(), hide)
    assert_delivered(ended, (ended.out:gsub("\n$", "")))
  end)

  it("prints an object when asked for one", function()
    sandbox:inbound { number = NUMBER }
    local ended = run("send-session --json", cjson.encode(messages.send_session), variables(), hide)
    local object = cjson.decode(ended.out)
    assert_delivered(ended, object.id)
    assert.equal(1, object.info.attempts)
  end)

  it("takes the key from a file, and the rest from options", function()
    sandbox:template { name = "hello_world", language = "en" }
    write(directory .. "/key", KEY .. "\n")
    local options = ("send-template --key-file %s/key --base-url %s --ca-file %s --timeout 20"):format(
      directory, sandbox.base_url, sandbox.ca_file)
    local ended = run(options, cjson.encode(template),
      { CONNECTLY_BUSINESS_ID = "canary-business", CONNECTLY_API_KEY = "wrong" })
    assert_delivered(ended, (ended.out:gsub("\n$", "")))
  end)

  it("makes any other request", function()
    sandbox:inbound { number = NUMBER }
    local body = assert(safe.new { api_key = "k", business_id = "b" }):dry_run("send_session", messages.send_session)
    local input = ('{"method":"POST","path":"/send/messages","body":%s}'):format(body)
    local ended = run("request", input, variables())
    assert_delivered(ended, cjson.decode(ended.out).id)
  end)

  it("has neither key nor number nor text in its arguments", function()
    sandbox:inbound { number = NUMBER }
    local tell = "local file = io.open '/proc/self/cmdline' io.stderr:write((file:read '*a'))"
    local ended = run("send-session", cjson.encode(messages.send_session), variables(), tell)
    assert.equal(0, ended.code)
    has(ended.err, "send-session")
    has_not(ended.err, NUMBER:sub(2))
    has_not(ended.err, TEXT)
  end)

  it("says what is missing of its environment", function()
    local ended = run("send-session", nil, { CONNECTLY_BASE_URL = sandbox.base_url })
    assert.equal(1, ended.code)
    has(ended.err, "CONNECTLY_API_KEY")
    has(ended.err, "CONNECTLY_BUSINESS_ID")
    write(directory .. "/key", "\n")
    ended = run(("send-session --key-file %s/key"):format(directory), "{}")
    assert.equal(1, ended.code)
    has(ended.err, "--key-file: it is empty")
    assert.equal(1, run("send-session --key-file /nonexistent", "{}").code)
  end)

  it("says that its output could not be written", function()
    sandbox:template { name = "hello_world", language = "en" }
    write(directory .. "/in", cjson.encode(template))
    local line = ("timeout 30 %s < %s/in 2>&1 > /dev/full; echo $?"):format(
      command_line("send-template", variables()), directory)
    assert.equal("connectly: standard output cannot be written\n0\n", process.capture(line))
  end)

  it("refuses options that are wrong", function()
    assert.equal(1, run("list-webhooks --timeout soon").code)
    local ended = run("list-webhooks --timeout -1", nil, variables())
    assert.equal(1, ended.code)
    has(ended.err, "timeout")
    assert.equal(1, run("list-webhooks --base-url http://example.com", nil, variables()).code)
  end)
end)

describe("the exit status", function()
  local server = faults.serve()

  local function variables(behaviour, base_url)
    return {
      CONNECTLY_API_KEY = KEY, CONNECTLY_BUSINESS_ID = behaviour, CONNECTLY_BASE_URL = base_url or server:url("http"),
    }
  end

  local function send(behaviour, base_url)
    return run("send-session --json --timeout 5", cjson.encode(messages.send_session), variables(behaviour, base_url))
  end

  local cases = {
    { "ok", 0 },
    { "400", 1, "rejected", "rejected" },
    { "401", 1, "auth", "rejected" },
    { "301", 1, "protocol", "rejected" },
    { "429-zero", 2, "rate_limited", "not_sent" },
    { "deep-nesting", 3, "protocol", "unknown" },
    { "500", 3, "server", "unknown" },
    { "close-after-request", 3, "network", "unknown" },
    { "html-200", 3, "protocol", "unknown" },
    { "echo-number", 1, "rejected", "rejected" },
    { "echo-key", 1, "rejected", "rejected" },
    { "echo-key-html", 1, "rejected", "rejected" },
    { "echo-key-html-200", 3, "protocol", "unknown" },
    { "echo-number-500", 3, "server", "unknown" },
  }
  for _, case in ipairs(cases) do
    it(("tells what became of it: %s"):format(case[1]), function()
      local ended = send(case[1])
      assert.equal(case[2], ended.code, ended.err)
      has_not(ended.out .. ended.err, NUMBER:sub(2))
      has_not(ended.out .. ended.err, TEXT)
      local object = cjson.decode(ended.out)
      assert.equal(case[3], object.error and object.error.kind)
      assert.equal(case[4], object.error and object.error.outcome)
      assert.equal(case[2] == 0, ended.err == "")
      has(ended.err, case[2] == 0 and "" or "connectly send-session: ")
    end)
  end

  it("is 2 when nobody listens", function()
    local ended = send("ok", server:url("refused", "http"))
    assert.equal(2, ended.code, ended.err)
    assert.is_true(cjson.decode(ended.out).error.retryable)
  end)

  it("is 3 when time ran out for the reply", function()
    local ended = run("send-session --timeout 0.5", cjson.encode(messages.send_session), variables("silence-after-request"))
    assert.equal(3, ended.code, ended.err)
    assert.equal("", ended.out)
  end)

  it("is 3 after Ctrl-C", function()
    write(directory .. "/in", cjson.encode(messages.send_session))
    local line = ("%s < %s/in 2> %s/err & echo pid $!; wait $!; echo exit $?"):format(
      command_line("send-session", variables("silence-after-request")), directory, directory)
    local running = process.start { command = { "sh", "-c", line }, ready = "^pid (%d+)$" }
    finally(function() running:stop() end)
    local deadline = os.time() + 20
    while server:tally().requests == 0 do
      assert(os.time() < deadline, "no request came")
    end
    os.execute("kill -INT " .. running.captured)
    assert.equal("exit 3", running:read_line())
    has(read(directory .. "/err"), "connectly send-session: interrupted (outcome unknown)")
  end)

  it("after Ctrl-C says what became of each part of a campaign", function()
    local sandbox = require("spec.support.sandbox").start()
    finally(function() sandbox:stop() end)
    sandbox:turn("campaigns", { name = "w" })
    sandbox:reply { operation = "send_campaigns", status = 200, body = '{"data":[{"acceptedCount":1}]}' }
    sandbox:reply { operation = "send_campaigns", delay = 20 }
    local entries = {}
    for index = 1, 3 do
      entries[index] = { number = ("+1604555%04d"):format(index), campaign_name = "w" }
    end
    write(directory .. "/in", cjson.encode { entries = entries })
    local line = ("%s < %s/in > %s/out 2> %s/err & echo pid $!; wait $!; echo exit $?"):format(
      command_line("send-campaigns --json --chunk-size 1", {
        CONNECTLY_API_KEY = sandbox.api_key, CONNECTLY_BUSINESS_ID = sandbox.business_id, CONNECTLY_BASE_URL = sandbox.base_url,
      }), directory, directory, directory)
    local running = process.start { command = { "sh", "-c", line }, ready = "^pid (%d+)$" }
    finally(function()
      running:stop()
      sandbox:stop()
    end)
    local deadline = os.time() + 20
    while select(2, sandbox:deliveries()) < 2 do
      assert(os.time() < deadline, "no second request came")
    end
    os.execute("kill -INT " .. running.captured)
    assert.equal("exit 3", running:read_line())
    local object, outcomes = cjson.decode(read(directory .. "/out")), {}
    for index, chunk in ipairs(object.result.chunks) do
      outcomes[index] = chunk.outcome
    end
    assert.same({ "accepted", "unknown", "not_sent" }, outcomes)
    assert.same({ "canceled", "unknown" }, { object.error.kind, object.error.outcome })
  end)

  it("goes with the reply as it came", function()
    local ended = run("list-webhooks", nil, variables("ok"))
    assert.equal(0, ended.code, ended.err)
    assert.is_string(cjson.decode(ended.out).id)
    ended = run("list-webhooks --json", nil, variables("ok"))
    assert.is_string(cjson.decode(ended.out).reply.id)
    assert.equal(200, cjson.decode(ended.out).info.status)
    ended = run("delete-webhook --id x", nil, variables("204"))
    assert.equal(0, ended.code, ended.err)
    assert.equal("{}\n", ended.out)
    ended = run("list-webhooks", nil, variables("json-array"))
    assert.equal(0, ended.code, ended.err)
    assert.equal("[", ended.out:sub(1, 1))
  end)

  it("goes without the key, whatever the reply holds", function()
    for _, behaviour in ipairs { "echo-key", "echo-key-200", "echo-key-500", "echo-key-html", "echo-key-html-200" } do
      run("list-webhooks --json", nil, variables(behaviour))
      run("list-webhooks", nil, variables(behaviour))
    end
  end)

  it("goes with what was done to a registration", function()
    local ended = run("ensure-webhook --json " .. options_of.ensure_webhook, nil, variables("ok"))
    assert.equal(0, ended.code, ended.err)
    local object = cjson.decode(ended.out)
    assert.is_string(object.id)
    assert.equal("created", object.info.change)
  end)

  it("goes with what became of each part of a campaign", function()
    local ended = run("send-campaigns --json", cjson.encode(messages.send_campaigns), variables("ok"))
    assert.equal(3, ended.code, ended.err) -- the reply counts nothing
    local object = cjson.decode(ended.out)
    assert.equal("protocol", object.error.kind)
    assert.equal("unknown", object.result.chunks[1].outcome)
    ended = run("send-campaigns", cjson.encode(messages.send_campaigns), variables("400"))
    assert.equal(1, ended.code, ended.err)
    assert.equal("rejected", cjson.decode(ended.out).chunks[1].outcome)
    has_not(ended.out .. ended.err, NUMBER)
  end)
end)
