--- connectly webhook trigger: posts one signed example webhook, as the API would.

local serving = require "connectly.cli.serving"
local examples = require "connectly.cli.webhook.examples"

local PATIENCE = 15 -- seconds for the answer

local function configure(command)
  command:epilog("Exit status 0 when the answer is 200, as the API expects it, else 1.")
  command:option("--url", "Address of the webhook's handler."):count(1)
  command:option("--kind", "What the webhook says."):choices(examples.kinds):count(1)
  command:option("--id", "The id in it, as a send call returned it; default: a new one.")
end

local function new_id()
  return require("connectly.sandbox.state.ulid").source()(1000 * os.time())
end

--- The header fields are those of a webhook that was captured.
local function new_request(url, body, secret)
  local is_fine, request = pcall(require("http.request").new_from_uri, url)
  if not is_fine or not url:find("^https?://") then
    return nil, "--url: an address with http:// or https:// expected"
  end
  request.follow_redirects = false
  request.headers:upsert(":method", "POST")
  request.headers:upsert("content-type", "text/plain; charset=utf-8")
  request.headers:upsert(require("connectly.webhook").SIGNATURE_HEADER, require("connectly.loader").webhook_sign(secret, body))
  request:set_body(body)
  return request
end

local function post(request)
  local headers, stream = request:go(PATIENCE)
  if not headers then
    return nil, "no answer: " .. tostring(stream)
  end
  stream:shutdown()
  return headers:get(":status")
end

local function run(arguments, secret)
  local missing = serving.missing_module { "http.request", "cjson" }
  if missing then
    return nil, ("no module %s: install it with: luarocks install http lua-cjson"):format(missing)
  elseif arguments.id and not examples.has_id(arguments.kind) then
    return nil, ("--id: a webhook of kind %s has none"):format(arguments.kind)
  end
  local id = arguments.id or new_id()
  local request, problem = new_request(arguments.url, examples.body(arguments.kind, id, os.time()), secret)
  if not request then
    return nil, problem
  end
  local status, reason = post(request)
  if not status then
    return nil, reason
  end
  print(("%s%s: answered %s"):format(arguments.kind, examples.has_id(arguments.kind) and " of " .. id or "", status))
  return status == "200" and 0 or 1
end

return { summary = "Post a signed example webhook to an address.", configure = configure, run = run }
