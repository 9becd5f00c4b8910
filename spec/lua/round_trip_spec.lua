-- The whole way of a message in one program without nginx: a cqueues controller in
-- which a server takes the webhooks in, and a client sends and waits.

local connectly = require "connectly"
local cqueues = require "cqueues"
local http_headers = require "http.headers"
local http_server = require "http.server"
local webhook_api = require "spec.support.webhook_api"

local SECRET = "sandbox-secret"

--- A server for webhooks, as a program would write it.
local function listen(controller, store)
  local hook = connectly.webhook.new { secret = SECRET }
  local server = assert(http_server.listen {
    host = "127.0.0.1", port = 0, tls = false, cq = controller,
    onstream = function(_, stream)
      local headers, body = assert(stream:get_headers(5)), stream:get_body_as_string(5)
      local is_good = hook:verify(body, headers:get(connectly.webhook.SIGNATURE_HEADER))
      if is_good then
        store:put(hook:parse(body))
      end
      local answer = http_headers.new()
      answer:append(":status", is_good and "200" or "401")
      stream:write_headers(answer, true, 5)
    end,
  })
  assert(server:listen())
  local _, _, port = server:localname()
  return server, ("http://127.0.0.1:%d/"):format(port)
end

describe("a message's round trip in a cqueues controller", function()
  it("ends with `read`", function()
    local controller, store = cqueues.new(), connectly.webhook.status_store()
    local api = webhook_api.start(controller, { secret = SECRET, statuses = { "sent", "delivered", "read" } })
    local server, address = listen(controller, store)
    local client = connectly.loop.cqueues.attach(connectly.new {
      api_key = api.api_key, business_id = api.business_id, base_url = api.base_url, status_store = store,
    })
    local outcomes = {}
    controller:wrap(function()
      client:request { method = "POST", path = "/create/webhooks", body = { topic = "delivery_status", address = address } }
      for index = 1, 10 do
        local id = client:send_template {
          number = "+14155550123", template_name = "order", language = "en", callback_data = { order = index },
        }
        local status, known = client:wait_delivery(id, 10)
        outcomes[index] = ("%s %d"):format(status, known.callback_data.order)
      end
    end)
    local deadline = cqueues.monotime() + 20
    while #outcomes < 10 do
      assert(controller:step(1))
      assert(cqueues.monotime() < deadline, "it takes too long")
    end
    api:stop()
    server:close()
    for index = 1, 10 do
      assert.equal("read " .. index, outcomes[index])
    end
  end)
end)
