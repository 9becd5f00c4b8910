-- The whole way of a message: sent from nginx, its signed webhooks posted to the same
-- nginx, and whoever sent it hears that it was read.

local cjson = require "cjson"
local cqueues = require "cqueues"
local nginx = require "spec.support.nginx"
local sandboxes = require "spec.support.sandbox"
local webhook_api = require "spec.support.webhook_api"

local SECRET = "sandbox-secret"

local http = [[
%s
init_by_lua_block {
  connectly = require "connectly"
  store = connectly.webhook.status_store(%s)
  hook = connectly.openresty.webhook { secret = "%s", store = store }
  client = require("connectly.safe").new {
    api_key = "%s", business_id = "%s", base_url = "%s", status_store = store, timeout = 10,
  }
}
]]

local server_part = [[
location = /connectly { content_by_lua_block { hook() } }
location = /register {
  content_by_lua_block {
    local reply, err = client:request {
      method = "POST", path = "/create/webhooks",
      body = { topic = "delivery_status", address = "http://127.0.0.1:" .. ngx.var.server_port .. "/connectly" },
    }
    ngx.print(reply and reply.id or tostring(err))
  }
}
location = /send {
  content_by_lua_block {
    local id, err = client:send_template {
      number = ngx.unescape_uri(ngx.var.arg_number or "%2B14155550123"), template_name = "any_order", language = "en",
      callback_data = { order_id = ngx.var.arg_order },
    }
    if not id then
      return ngx.print(tostring(err))
    end
    local status, second = client:wait_delivery(id, 10)
    local known = store:get(id)
    ngx.print(require("cjson").encode {
      id = id, status = status, kind = second.kind, code = second.code, trace_id = second.trace_id,
      order_id = known.callback_data.order_id, message_time = connectly.message_time(id), timestamp = known.timestamp,
    })
  }
}
]]

describe("a message's round trip", function()
  --- Sends so many at once; what each got, and the API.
  local function round_trip(options)
    local controller, answers, count = cqueues.new(), {}, options.count or 1
    local ended = 0
    local api = webhook_api.start(controller, { secret = options.secret or SECRET, statuses = options.statuses })
    local dict = options.workers and 'lua_shared_dict statuses 1m;' or ""
    local server = nginx.start {
      workers = options.workers, server = server_part, http = http:format(
        dict, options.workers and '{ dict = "statuses" }' or "", SECRET, api.api_key, api.business_id, api.base_url),
    }
    finally(function() server:stop() end)
    controller:wrap(function()
      local _, registered = server:request { path = "/register" }
      assert(registered == "wh_1", registered)
      for index = 1, count do
        controller:wrap(function()
          local _, body = server:request { path = "/send?order=" .. index, timeout = 20 }
          answers[index] = cjson.decode(body)
          ended = ended + 1
        end)
      end
    end)
    local deadline = cqueues.monotime() + 30
    while ended < count or #api.posted < count * #options.statuses do
      local is_fine, problem = controller:step(1)
      assert(is_fine and cqueues.monotime() < deadline, tostring(problem) .. "\n" .. server:log())
    end
    local log = server:log()
    api:stop()
    return answers, api, log
  end

  it("ends with `read`", function()
    local answers, api, log = round_trip { statuses = { "sent", "delivered", "read" } }
    local answer = answers[1]
    assert.equal("read", answer.status)
    assert.equal("1", answer.order_id)
    assert.equal(26, #answer.id)
    assert(math.abs(answer.message_time - answer.timestamp) < 10)
    assert.same({
      { status = "sent", answer = 200 }, { status = "delivered", answer = 200 }, { status = "read", answer = 200 },
    }, api.posted)
    assert.is_nil(log:find("[error]", 1, true), log)
    assert.is_nil(log:find("14155550123", 1, true), log)
  end)

  it("ends with `read` in whatever order the webhooks come, and however often", function()
    local answers = round_trip { statuses = { "delivered", "sent", "sent", "read", "delivered" }, count = 20 }
    for index = 1, 20 do
      assert.equal("read", answers[index].status)
      assert.equal(tostring(index), answers[index].order_id)
    end
  end)

  it("ends with `read` whichever of several workers the webhooks come to", function()
    local answers = round_trip { statuses = { "sent", "delivered", "read" }, count = 40, workers = 2 }
    for index = 1, 40 do
      assert.equal("read", answers[index].status)
      assert.equal(tostring(index), answers[index].order_id)
    end
  end)

  --- The same with the sandbox, a process of its own, at the other end.
  local function with_sandbox(requests)
    local sandbox = sandboxes.start()
    finally(function() sandbox:stop() end)
    local server = nginx.start { server = server_part, http = http:format(
      "", "", SECRET, sandbox.api_key, sandbox.business_id, sandbox.base_url) }
    finally(function()
      server:stop()
      sandbox:stop()
    end)
    local _, registered = server:request { path = "/register" }
    assert(registered:find("^wh_"), registered)
    local answers = {}
    for index, path in ipairs(requests) do
      local _, body = server:request { path = path, timeout = 20 }
      answers[index] = cjson.decode(body)
    end
    return answers, sandbox
  end

  it("through the sandbox ends with `read`", function()
    local answers, sandbox = with_sandbox { "/send?order=12345", "/send?order=12346" }
    assert.same({ "read", "12345" }, { answers[1].status, answers[1].order_id })
    assert.same({ "read", "12346" }, { answers[2].status, answers[2].order_id })
    local answered = {}
    for _, attempt in ipairs(sandbox:webhooks().attempts) do
      answered[#answered + 1] = attempt.status
    end
    assert.same({ 200, 200, 200, 200, 200, 200 }, answered)
  end)

  it("through the sandbox ends with the error of a number that cannot be reached", function()
    local answer = with_sandbox({ "/send?order=1&number=%2B15005550103" })[1]
    assert.is_nil(answer.status)
    assert.equal("rejected", answer.kind)
    assert.equal("ERROR_CODE_MESSAGE_PHONE_NUMBER_INVALID", answer.code)
  end)

  it("ends with the webhook's error when the message could not be delivered", function()
    local answer = round_trip({ statuses = { "sent", "delivery_failed" } })[1]
    assert.is_nil(answer.status)
    assert.equal("rejected", answer.kind)
    assert.equal("ERROR_CODE_UNSPECIFIED", answer.code)
    assert.equal("15555555555555555555", answer.trace_id)
  end)
end)
