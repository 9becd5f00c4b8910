-- Modules and descriptors that are not to be had when a method is called: whatever a
-- call needs is loaded before anything leaves. Each case is a script of its own, since
-- this process has loaded all modules already.

local process = require "spec.support.process"
local sandboxes = require "spec.support.sandbox"

-- What the script does before it calls: from then on no module is found, or no
-- descriptor is free.
local CONDITIONS = {
  ["no module is found"] = [[
    local list = package.searchers or package.loaders
    for index = #list, 1, -1 do list[index] = nil end
    package.path, package.cpath = "", ""]],
  ["no descriptor is free"] = [[
    held = {}
    repeat
      local file = io.open("/dev/null")
      held[#held + 1] = file
    until not file]],
}

-- A client, a message, and `tell`, which prints in one word what became of a call.
local PROLOGUE = [[
  local safe = require "connectly.safe"
  local client = assert(safe.new {
    api_key = %q, business_id = %q, base_url = %q, timeout = 30, max_attempts = 1,
  })
  local message = { number = "+14155550123", template_name = "any_hello", language = "en", body = { "Ana" } }
  local entries = { entries = { { number = "+14155550123", campaign_name = "published" } } }
  local function tell(is_fine, value, err)
    if not is_fine then
      local known = type(value) == "table" and value.outcome
      return print(known and value.outcome or "raised " .. tostring(value))
    end
    print(value == nil and tostring(err.outcome) or "works")
  end
  if %s then
    assert(client:list_webhooks())
    assert(client:start("list_webhooks", {}):wait())
  end
  %s
  tell(pcall(function() %s end))
  io.stdout:flush()
  os.exit(0, false) -- without a look at what is still under way
]]

-- What is called. Each gives a value, or nil and an error.
local METHODS = {
  { "send_template", "return client:send_template(message)" },
  { "send_session", 'return client:send_session { number = message.number, text = "x" }' },
  { "request", 'return client:request { method = "POST", path = "/send/whatsapp_templated_messages", body = {} }' },
  { "send_campaigns", "return client:send_campaigns(entries)" },
  { "start", 'local call, err = client:start("send_template", message) if not call then return nil, err end return call:wait()' },
  { "start of send_campaigns",
    'local call, err = client:start("send_campaigns", entries) if not call then return nil, err end return call:wait()' },
  { "post", 'return client:post("send_template", message)' },
  { "send_many", [[
    local id, err
    for result in client:send_many { message } do id, err = result.id, result.error end
    return id, err]] },
  { "send_many of what gives a reply", [[
    local id, err
    for result in client:send_many({ {} }, { operation = "list_webhooks" }) do id, err = result.id, result.error end
    return id, err]] },
  { "ensure_webhook", 'return client:ensure_webhook { topic = "messages", address = "https://example.com/x", type = "custom" }' },
  { "list_webhooks", "return client:list_webhooks()" },
  { "check_template", "return client:check_template(message)" },
}

-- Of a call that worked: the sandbox's refusals count as answers.
local ANSWERS = { works = true, rejected = true }

describe("a call", function()
  local sandbox

  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox:stop() end)
  before_each(function() sandbox:reset() end)

  local function run(condition, is_warm, body)
    local script = PROLOGUE:format(sandbox.api_key, sandbox.business_id, sandbox.base_url, tostring(is_warm),
      CONDITIONS[condition], body)
    local said = process.capture(("ulimit -n 48; exec %s -e %s 2>&1"):format(
      os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4", process.quote(script)))
    return (said:gsub("%s+$", ""))
  end

  for condition in pairs(CONDITIONS) do
    for _, is_warm in ipairs { false, true } do
      for _, method in ipairs(METHODS) do
        it(("when %s: %s%s"):format(condition, method[1], is_warm and ", not the first" or ""), function()
          local said = run(condition, is_warm, method[2])
          if said == "not_sent" then
            assert.equal(0, select(2, sandbox:deliveries()))
          else
            assert.is_true(ANSWERS[said] or false, said)
          end
        end)
      end
    end
  end
end)
