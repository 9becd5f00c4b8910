-- Proxy settings are read once, when a client is made; plain HTTP, which goes to
-- loopback only, never takes a proxy.

local faults = require "spec.support.faults"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"

describe("the proxy", function()
  local server, path

  setup(function()
    server = faults.start()
    path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write([[
      local client = require("connectly.safe").new {
        api_key = "k", business_id = "ok", base_url = arg[1], ca_file = arg[2], proxy = arg[3], max_attempts = 1,
      }
      local id, err = client:send_template { number = "+14155550123", template_name = "x", language = "en" }
      print(id and "sent" or err.outcome)
    ]])
    file:close()
  end)

  teardown(function()
    server:stop()
    os.remove(path)
  end)

  local function send(environment, port, proxy)
    local command = ("env -u https_proxy -u HTTPS_PROXY -u all_proxy -u no_proxy -u NO_PROXY %s %s %s %s '%s' %s"):format(
      environment, running, path, server:url(port), server.ca_file, proxy or "")
    local pipe = assert(io.popen(command))
    local line = pipe:read("*l")
    pipe:close()
    return line
  end

  local dead -- a proxy at which nobody listens
  before_each(function() dead = server:url("refused", "http") end)

  for _, case in ipairs {
    { "of the environment is used", "https_proxy=%s", "https", "not_sent" },
    { "of the environment in capitals is used", "HTTPS_PROXY=%s", "https", "not_sent" },
    { "for all is used", "ALL_PROXY=%s", "https", "not_sent" },
    { "for plain HTTP is not", "http_proxy=%s ALL_PROXY=%s", "http", "sent" },
    { "is left out for hosts that are named", "https_proxy=%s no_proxy=127.0.0.1", "https", "sent" },
    { "is left out for all hosts", "https_proxy=%s NO_PROXY='*'", "https", "sent" },
  } do
    it(case[1], function()
      assert.equal(case[4], send(case[2]:gsub("%%s", (dead:gsub("%%", "%%%%"))), case[3]))
    end)
  end

  -- libcurl reads such a reply to its end without coming back.
  for _, mode in ipairs { "inline", "worker" } do
    it("may refuse without an end: " .. mode, function()
      local client = require("connectly.safe").new {
        api_key = "k", business_id = "ok", base_url = server:url("https"), ca_file = server.ca_file, max_attempts = 1,
        proxy = server:url("endless_proxy", "http"), connect_timeout = 0.5, timeout = 5,
      }
      local message = { number = "+14155550123", template_name = "x", language = "en" }
      local id, err
      if mode == "inline" then
        id, err = client:send_template(message)
      else
        id, err = client:start("send_template", message):wait()
      end
      client:close(0)
      assert.is_nil(id)
      assert.equal("network not_sent 1", ("%s %s %d"):format(err.kind, err.outcome, err.attempts))
      assert.matches("no connection within connect_timeout", err.message)
    end)
  end

  it("of the options goes before that of the environment", function()
    assert.equal("not_sent", send("no_proxy=127.0.0.1", "https", dead))
    assert.equal("sent", send("https_proxy=" .. dead, "https", "''"))
  end)
end)
