-- The nginx snippets of the guides, in a real nginx: only what a reader fills in is filled in.

local nginx = require "spec.support.nginx"
local redis_server = require "spec.support.redis"
local sandboxes = require "spec.support.sandbox"
local snippets = require "spec.support.snippets"

local SECRET = "example-secret"
-- API: webhooks, delivery mechanics.
local BODY = '{"topic":"delivery_status","timestamp":"1700000000","statusUpdate":{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV",'
  .. '"status":"read","error":null}}'
local SIGNATURE = "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU="

--- The one block of that language with a text in it, as it stands.
local function block(language, mark)
  local found
  for _, snippet in ipairs(snippets.blocks(language)) do
    if snippet.source:find(mark, 1, true) then
      assert(not found, "two snippets with " .. mark)
      found = snippet.source
    end
  end
  return assert(found, "no guide has a snippet with " .. mark)
end

--- What stands in the braces behind a word, and the text without it.
local function cut(source, word)
  local before, braces, after = source:match("^(.-)%f[%w]" .. word .. " (%b{})(.*)$")
  assert(braces, "no " .. word)
  return braces:sub(2, -2), before .. after
end

local function replace(source, old, new)
  local first, last = source:find(old, 1, true)
  assert(first, "the guides no longer say " .. old)
  return source:sub(1, first - 1) .. new .. source:sub(last + 1)
end

describe("the guides' nginx", function()
  local sandbox, server

  setup(function() sandbox = sandboxes.start() end)
  before_each(function() sandbox:reset() end)
  teardown(function() sandbox:stop() end)

  after_each(function()
    server:stop()
    server = nil
  end)

  local function wait_for_deliveries(count)
    for _ = 1, 100 do
      if #(sandbox:deliveries()) >= count then
        return sandbox:deliveries()
      end
      os.execute("sleep 0.05")
    end
    error("too few deliveries\n" .. server:log())
  end

  it("sends, and posts from log_by_lua", function()
    local http = cut(block("nginx", "location /order"), "http")
    local inside, rest = cut(http, "server")
    rest = rest:gsub("lua_package_%w+ [^\n]*\n", "")
    rest = replace(rest, 'api_key = "…", business_id = "…"', ('api_key = "%s", business_id = "%s", base_url = "%s"'):format(
      sandbox.api_key, sandbox.business_id, sandbox.base_url))
    for _, name in ipairs { "order", "seen" } do
      sandbox:template { name = name, language = "en" }
    end
    server = nginx.start { http = rest, server = inside }
    local status, id = server:request { path = "/order" }
    assert.equal(200, status)
    assert.truthy(id:find("^%w+\n$") and #id == 27, id)
    server:request { path = "/" }
    assert.equal(2, #wait_for_deliveries(2))
  end)

  it("takes webhooks, and knows what became of a message", function()
    local module = replace(block("lua", "-- my_webhook.lua"), 'secret = "…"', ('secret = "%s"'):format(SECRET))
    local inside, dict = cut(block("nginx", 'require("my_webhook")'), "server")
    local init, status_dict = cut(block("nginx", "connectly_statuses 50m"), "init_by_lua_block")
    init = replace(init, 'secret = "…"', ('secret = "%s"'):format(SECRET))
    init = replace(init, "connectly.new{ ", 'connectly.new{ api_key = "k", business_id = "b", ')
    server = nginx.start {
      http = ("%s\n%s\ninit_by_lua_block { %s package.preload.my_webhook = function() %s end }"):format(
        dict, status_dict, init, module),
      server = inside .. [[
        location = /hook { content_by_lua_block { hook() } }
        location = /status { content_by_lua_block { ngx.print(store:get("01ARZ3NDEKTSV4RRFFQ69G5FAV").status) } }
      ]],
    }
    for _, path in ipairs { "/connectly", "/hook" } do
      local status = server:request {
        method = "POST", path = path, body = BODY, headers = { ["x-connectly-hmac-sha256"] = SIGNATURE },
      }
      assert.equal(200, status, server:log())
    end
    assert.equal("read", select(2, server:request { path = "/status" }))
    assert.equal(401, (server:request { method = "POST", path = "/connectly", body = BODY }))
  end)

  it("shares limits", function()
    local redis = redis_server.start()
    finally(function() redis:stop() end)
    local init = 'local connectly = require "connectly"\n' .. block("lua", "limiter.shared_dict")
    local known = ('api_key = "%s", business_id = "%s", base_url = "%s", limiter ='):format(
      sandbox.api_key, sandbox.business_id, sandbox.base_url)
    for _, name in ipairs { "here", "everywhere" } do
      init = replace(init, "local client = connectly.new{ limiter =", name .. " = connectly.new{ LIMITER")
    end
    init = init:gsub("LIMITER", function() return known end)
    init = replace(init, 'host = "10.0.0.5", port = 6379', ('host = "127.0.0.1", port = %d'):format(redis.port))
    init = replace(init, 'password = "…"', ('password = "%s"'):format(redis.password))
    sandbox:template { name = "order", language = "en" }
    server = nginx.start {
      http = "lua_shared_dict limits 64k; init_by_lua_block { " .. init .. " }",
      server = [[
        location = /here { content_by_lua_block {
          ngx.print((here:send_template { number = "+16044441234", template_name = "order", language = "en" }))
        } }
        location = /everywhere { content_by_lua_block {
          ngx.print((everywhere:send_template { number = "+16044441234", template_name = "order", language = "en" }))
        } }
      ]],
    }
    for _, path in ipairs { "/here", "/everywhere" } do
      local status, id = server:request { path = path }
      assert.equal(200, status, server:log())
      assert.equal(26, #id)
    end
  end)
end)
