--- The demo: starts the sandbox with TLS, sends one template message through the library, prints
--- what happened, and stops the sandbox.

--- In one line, and without the place in our source where it was noticed.
local function plain(problem)
  return (tostring(problem):gsub("^[%w_./-]+:%d+: ", ""):gsub("%s*\n%s*", " "):gsub(":? *$", ""))
end

local function fail(problem)
  io.stderr:write("the demo failed: ", plain(problem), "\n")
  -- Closing the state stops a sandbox that still runs.
  os.exit(1, true)
end

local function load(name)
  local is_loaded, found = pcall(require, name)
  if not is_loaded then
    fail(tostring(found):match("^[^\n]*"))
  end
  return found
end

local cjson = load "cjson"
local sandboxes = load "spec.support.sandbox"
local connectly = load "connectly"

local message = {
  number = "+14155550123",
  template_name = "order_confirmation",
  language = "en",
  header = { image = "https://example.com/box.png" },
  body = { "John", "Order #98765" },
  buttons = { "track/98765" },
}

local function send(sandbox)
  local client = connectly.new {
    api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url, ca_file = sandbox.ca_file,
  }
  local id, info = client:send_template(message)
  client:close()
  return id, info
end

local function describe(sandbox, id, info)
  local deliveries, requests = sandbox:deliveries()
  assert(#deliveries == 1 and deliveries[1].id == id, "the sandbox did not receive this message once")
  local received = cjson.decode(deliveries[1].body)
  print("sent: " .. id)
  print(("over TLS and HTTP/%s to the sandbox at %s, in %.0f ms"):format(
    info.http_version, sandbox.base_url, info.elapsed * 1000))
  print(("the sandbox received %d request: template %s in language %s, with %d parameters"):format(
    requests, received.templateName, received.language, #received.parameters))
end

local function show(sandbox)
  describe(sandbox, send(sandbox))
end

local is_up, sandbox = pcall(sandboxes.start, { tls = true, port = 0 })
if not is_up then
  fail("the sandbox did not start: " .. plain(sandbox))
end
local is_shown, problem = pcall(show, sandbox)
sandbox:stop()
if not is_shown then
  fail(problem)
end
