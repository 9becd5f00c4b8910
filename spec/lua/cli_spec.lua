-- The command line, run as a process with the Lua under test.

local cli = require "spec.support.cli"
local ports = require "spec.support.ports"
local faults = require "spec.support.faults"
local process = require "spec.support.process"
local sandboxes = require "spec.support.sandbox"
local version = require "connectly.version"

local lua = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local build = os.getenv("BUILD") or "build"
local is_jit = rawget(_G, "jit") ~= nil
local usual_port = require "connectly.cli.usual_port"
local program = "lua/connectly/cli/main.lua"

local function run(arguments, variables, first)
  return cli.run(arguments, { variables = variables, first = first })
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

local hide_argparse = "package.path = 'lua/?.lua;lua/?/init.lua' package.cpath = ''"
local hide_http = "package.preload['http.server'] = function() error 'hidden' end"

describe("connectly", function()
  it("prints its version", function()
    local output, code = run("--version")
    assert.equal("connectly " .. version .. "\n", output)
    assert.equal(0, code)
  end)

  it("lists its commands", function()
    local output, code = run("--help")
    assert.equal(0, code)
    has(output, "sandbox")
    has(output, "doctor")
  end)

  it("has a manual page that names its commands, variables and exit statuses", function()
    local page = assert(io.open("examples/command-line/connectly.1")):read("*a"):gsub("\\", "")
    local commands = assert(run("--help"):match("Commands:\n(.*)$"))
    local count = 0
    for name in commands:gmatch("\n?   ([%l-]+) ") do
      has(page, "Cm " .. name)
      count = count + 1
    end
    assert.is_true(count > 15)
    for _, name in ipairs { "API_KEY", "BUSINESS_ID", "BASE_URL", "CA_FILE", "WEBHOOK_SECRET" } do
      has(page, "Ev CONNECTLY_" .. name)
    end
    for status = 0, 3 do
      has(page, ".It " .. status)
    end
  end)

  it("refuses a command that is none, and none at all", function()
    local output, code = run("sandbx")
    assert.equal(1, code)
    has(output, "unknown command 'sandbx'")
    output, code = run("")
    assert.equal(1, code)
    has(output, "a command is required")
  end)

  it("says in one line that argparse is missing", function()
    local output, code = run("--version", {}, hide_argparse)
    assert.equal(1, code)
    assert.equal("connectly: the command line needs argparse: install it with: luarocks install argparse\n", output)
  end)
end)

describe("connectly sandbox", function()
  --- Starts one; `line` of the result is what it wrote first that has `ready` in it.
  --- `first` is Lua that runs before it.
  local function start(arguments, ready, first)
    local command = ("exec %s -e %s %s sandbox %s 2>&1"):format(
      process.quote(lua), process.quote(first or ""), program, arguments)
    return process.start { command = { "sh", "-c", command }, ready = ready or "^listening on (http://%S+)$" }
  end

  --- As if that were the usual port, which another program of this machine may hold.
  local function start_on_usual_port(port)
    return start("", tostring(port), ("package.preload['connectly.cli.usual_port'] = function() return %d end"):format(port))
  end

  it("tells what a client needs", function()
    local server = start("--port 0")
    finally(function() server:stop() end)
    assert.equal("export CONNECTLY_API_KEY=sandbox-key", server:read_line())
    assert.equal("export CONNECTLY_BUSINESS_ID=sandbox-business", server:read_line())
    assert.equal("export CONNECTLY_BASE_URL=" .. server.captured, server:read_line())
  end)

  it("listens on the usual port unless told otherwise", function()
    assert.equal(8077, usual_port)
    has(run("sandbox --help"), "8077")
    local server, port
    repeat -- one that is free may be taken before it is ours
      if server then
        server:stop()
      end
      port = ports.free()
      server = start_on_usual_port(port)
    until not server.line:find("is taken", 1, true)
    server:stop()
    assert.equal("listening on http://127.0.0.1:" .. port, server.line)
  end)

  it("takes another port when the usual one is taken", function()
    local holder = start("--port 0")
    finally(function() holder:stop() end)
    local held = holder.captured:match(":(%d+)$")
    local server = start_on_usual_port(held)
    local port = server:read_line():match("^listening on http://127%.0%.0%.1:(%d+)$")
    server:stop()
    assert.equal(("port %s is taken, so the system picks another"):format(held), server.line)
    assert.not_equal(held, port)
  end)

  it("insists on a port it was told", function()
    local holder = start("--port 0")
    finally(function() holder:stop() end)
    local output, code = run("sandbox --port " .. holder.captured:match(":(%d+)$"))
    assert.equal(1, code)
    assert.equal("connectly sandbox: cannot listen: Address already in use\n", output)
  end)

  it("says what it needs", function()
    local output, code = run("sandbox", {}, hide_http)
    assert.equal(1, code)
    has(output, "luarocks install http")
    assert.equal(1, count_lines(output))
  end)
end)

describe("connectly doctor", function()
  local canaries = {
    CONNECTLY_API_KEY = "canary-key", CONNECTLY_BUSINESS_ID = "canary-business",
    https_proxy = "http://canary:canary@127.0.0.1:1",
  }

  local function doctor(variables, first, arguments)
    local output, code = run("doctor " .. (arguments or ""), variables, first)
    has_not(output, "canary")
    has_not(output, "traceback")
    return output, code
  end

  --- The status and the text of one line.
  local function line(output, name)
    local wanted = "\n(%l+) +" .. name:gsub("%p", "%%%0") .. "  +([^\n]*)"
    local status, text = ("\n" .. output):match(wanted)
    assert(status, ("no line %q in:\n%s"):format(name, output))
    return status, text
  end

  local function assert_line(output, name, status, part)
    local found, text = line(output, name)
    assert.equal(status, found, name .. ": " .. text)
    has(text, part)
  end

  it("is content with a key and a business id", function()
    local output, code = doctor(canaries)
    assert.equal(0, code, output)
    assert_line(output, "connectly", "ok", version)
    assert_line(output, "Lua", "ok", is_jit and "LuaJIT" or "Lua 5.4")
    assert_line(output, "C module", "ok", is_jit and "built for LuaJIT" or "built for Lua 5.4")
    assert_line(output, "libcurl", "ok", ".")
    assert_line(output, "lua-cjson", "ok", ".")
    assert_line(output, "base URL", "ok", "https://api.connectly.ai")
    assert_line(output, "proxy", "ok", "https_proxy set")
    assert_line(output, "API key", "ok", "CONNECTLY_API_KEY is set")
    assert_line(output, "business id", "ok", "CONNECTLY_BUSINESS_ID is set")
    assert_line(output, "lua-http", "ok", "optional")
    assert_line(output, "argparse", "ok", "optional")
    line(output, "TLS")
    line(output, "HTTP/2")
    line(output, "certificates")
    has(output, "A message can be sent with this set-up.")
  end)

  it("misses what is not set", function()
    local output, code = doctor {}
    assert.equal(1, code)
    assert_line(output, "API key", "missing", "CONNECTLY_API_KEY")
    assert_line(output, "business id", "missing", "CONNECTLY_BUSINESS_ID")
    assert_line(output, "proxy", "ok", "none set")
    has(output, "No message can be sent")
  end)

  it("says what is wrong with what is set", function()
    local output, code = doctor {
      CONNECTLY_API_KEY = "canary\n", CONNECTLY_BUSINESS_ID = "..",
      CONNECTLY_BASE_URL = "http://canary:canary@example.com/canary", CONNECTLY_CA_FILE = "/nonexistent/ca.pem",
    }
    assert.equal(1, code)
    assert_line(output, "API key", "wrong", "line break at its end")
    assert_line(output, "business id", "wrong", "segment of a path")
    assert_line(output, "base URL", "wrong", "no user and no password expected")
    assert_line(output, "certificates", "wrong", "/nonexistent/ca.pem")
  end)

  it("names a C module that was built for another Lua", function()
    local other = is_jit and "5.4" or "5.1"
    local output, code = doctor {
      CONNECTLY_API_KEY = "canary-key", CONNECTLY_BUSINESS_ID = "canary-business",
      LUA_CPATH = ("%s/%s/?.so;;"):format(build, other),
    }
    assert.equal(1, code)
    assert_line(output, "C module", "wrong", "built for another Lua than this " .. (is_jit and "LuaJIT" or "Lua 5.4"))
    assert_line(output, "libcurl", "warning", "until the C module loads")
    assert_line(output, "lua-cjson", "ok", ".")
    assert_line(output, "API key", "ok", "is set")
  end)

  it("works without the C module", function()
    -- Only where lua-cjson is: connectly is not installed beside it.
    local folder = package.searchpath("cjson", package.cpath):gsub("cjson%.so$", "?.so")
    local output, code = doctor({ CONNECTLY_API_KEY = "canary-key", LUA_CPATH = folder })
    assert.equal(1, code)
    assert_line(output, "C module", "missing", "was not found")
    assert_line(output, "lua-cjson", "ok", ".")
    assert_line(output, "business id", "missing", "CONNECTLY_BUSINESS_ID")
    line(output, "base URL")
    line(output, "proxy")
  end)

  it("works without lua-cjson", function()
    local output, code = doctor(canaries, "package.preload.cjson = function() error 'hidden' end")
    assert.equal(1, code)
    assert_line(output, "lua-cjson", "missing", "luarocks install lua-cjson")
    assert_line(output, "C module", "ok", "built for")
  end)

  it("works without lua-http", function()
    local output, code = doctor(canaries, hide_http)
    assert.equal(0, code, output)
    assert_line(output, "lua-http", "warning", "luarocks install http")
  end)

  it("sees a C module of another version", function()
    local output, code = doctor(canaries, "package.preload['connectly.version'] = function() return '99.9' end")
    assert.equal(0, code, output)
    assert_line(output, "C module", "warning", "Lua files of 99.9")
  end)

  it("opens no connection of its own accord", function()
    local server = faults.start()
    finally(function() server:stop() end)
    local output, code = doctor {
      CONNECTLY_API_KEY = "canary-key", CONNECTLY_BUSINESS_ID = "ok",
      CONNECTLY_BASE_URL = server:url("http"),
    }
    assert.equal(0, code, output)
    assert_line(output, "base URL", "ok", server:url("http"))
    assert.equal(0, server:tally().requests)
  end)

  describe("with --connect", function()
    local sandbox, server

    setup(function()
      sandbox = sandboxes.start { tls = true, port = 0, api_key = "canary-key", business_id = "canary-business" }
      server = faults.start()
    end)

    teardown(function()
      sandbox:stop()
      server:stop()
    end)

    before_each(function() server:reset() end)

    local function connect(base_url, ca_file, business_id)
      return doctor({
        CONNECTLY_API_KEY = "canary-key", CONNECTLY_BUSINESS_ID = business_id or "canary-business",
        CONNECTLY_BASE_URL = base_url, CONNECTLY_CA_FILE = ca_file,
      }, nil, "--connect")
    end

    it("reaches a sandbox, and sends it no message", function()
      local output, code = connect(sandbox.base_url, sandbox.ca_file)
      assert.equal(0, code, output)
      assert_line(output, "connection", "ok", "reached, HTTP/2, TLS and certificate fine")
      assert_line(output, "certificates", "ok", sandbox.ca_file)
      assert.equal(0, select(2, sandbox:deliveries()))
    end)

    it("sees a certificate that nobody vouches for", function()
      local output, code = connect(sandbox.base_url)
      assert.equal(1, code)
      assert_line(output, "connection", "wrong", "certificate")
    end)

    it("sees that nobody listens", function()
      local output, code = connect("http://127.0.0.1:1")
      assert.equal(1, code)
      assert_line(output, "connection", "wrong", "cannot reach the API")
    end)

    local cases = {
      { "ok", 0, "ok", "accepted the key" },
      { "401", 1, "wrong", "refused the key (status 401)" },
      { "404", 0, "warning", "is the business id right?" },
      { "500", 0, "warning", "in trouble" },
      { "html-200", 1, "wrong", "no answer of the API" },
    }
    for _, case in ipairs(cases) do
      it(("judges the key by an answer: %s"):format(case[1]), function()
        local output, code = connect(server:url("http"), nil, case[1])
        assert.equal(case[2], code, output)
        assert_line(output, "connection", "ok", "reached, HTTP/1.1, without TLS")
        assert_line(output, "access", case[3], case[4])
        assert.equal(1, server:tally().requests)
      end)
    end

    it("sees no TLS in an address that begins with HTTP:// in capitals", function()
      local output = connect((server:url("http"):gsub("^http", "HTTP")), nil, "ok")
      assert_line(output, "connection", "ok", "reached, HTTP/1.1, without TLS")
    end)

    it("does not try with settings that are refused", function()
      local output, code = connect("ftp://example.com")
      assert.equal(1, code)
      assert_line(output, "connection", "warning", "not tried")
    end)
  end)
end)
