-- The sandbox's own routes answer to programs on this machine, and not to a web page
-- that is open in a browser on it.

local sandboxes = require "spec.support.sandbox"

local READING = { "health", "deliveries", "webhooks", "magic" }
local CHANGING = {
  "reset", "replies", "faults", "rate_limit", "webhooks", "inbound", "opt_out", "clock", "templates", "review",
  "campaigns", "report",
}

for _, kind in ipairs { { name = "over HTTP/1.1", version = 1.1 }, { name = "over TLS and HTTP/2", tls = true, version = 2 } } do
  describe("the sandbox " .. kind.name, function()
    local sandbox, port

    setup(function()
      sandbox = sandboxes.start { tls = kind.tls }
      port = sandbox.base_url:match(":(%d+)$")
    end)

    teardown(function() sandbox:stop() end)

    local function ask(method, name, headers)
      local reply = sandbox:request {
        method = method, path = "/_sandbox/" .. name, headers = headers, body = method == "POST" and "{}" or nil,
        version = kind.tls and kind.version or nil,
      }
      assert.equal(kind.version, reply.http_version)
      return reply
    end

    local function each_route(check)
      for _, name in ipairs(READING) do
        check("GET", name)
      end
      for _, name in ipairs(CHANGING) do
        check("POST", name)
      end
    end

    it("answers whoever calls it by a name of this machine", function()
      for _, host in ipairs {
        "127.0.0.1", "127.0.0.1:" .. port, "127.255.0.9:1", "localhost", "LocalHost:" .. port, "[::1]", "[::1]:80",
      } do
        assert.equal(200, ask("GET", "webhooks", { [":authority"] = host }).status, host)
      end
    end)

    it("refuses all routes under another name", function()
      each_route(function(method, name)
        local reply = ask(method, name, { [":authority"] = "evil.example:" .. port })
        assert.equal(403, reply.status, name)
        assert.is_nil(reply.body:find("secret", 1, true))
        assert.truthy(reply.body:find("Host", 1, true))
      end)
      for _, host in ipairs {
        "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.256", "127.1", "1270.0.0.1", "128.0.0.1", "evil.example",
        "user@localhost", "localhost:80:80", "localhost:x", "[::2]", "::1", "0.0.0.0", "[::ffff:7f00:1].x",
      } do
        assert.equal(403, ask("GET", "webhooks", { [":authority"] = host }).status, host)
      end
    end)

    it("refuses all routes to a page of another origin", function()
      each_route(function(method, name)
        local reply = ask(method, name, { origin = "https://evil.example" })
        assert.equal(403, reply.status, name)
        assert.is_nil(reply.body:find("secret", 1, true))
        assert.truthy(reply.body:find("Origin", 1, true))
      end)
      local other = ("%s://localhost:%d"):format(kind.tls and "http" or "https", port)
      local longer = sandbox.base_url .. ".evil.example"
      for _, origin in ipairs { "null", "", "http://localhost", "http://localhost:1", other, longer, "file://" } do
        assert.equal(403, ask("POST", "reset", { origin = origin }).status, origin)
      end
    end)

    it("answers a page of its own", function()
      assert.equal(200, ask("POST", "reset", { origin = sandbox.base_url }).status)
    end)

    it("asks nothing of the kind of the API's callers", function()
      local reply = sandbox:request {
        path = "/v1/businesses/" .. sandbox.business_id .. "/webhooks",
        headers = { ["X-API-Key"] = sandbox.api_key, [":authority"] = "sandbox.internal" },
      }
      assert.equal(200, reply.status)
    end)
  end)
end
