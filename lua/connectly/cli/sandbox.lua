--- connectly sandbox: runs a local stand-in for the Connectly API until interrupted.

local serving = require "connectly.cli.serving"

local usual_port = require "connectly.cli.usual_port"

local function check_retries(text)
  local count = tonumber(text)
  if not count or count % 1 ~= 0 or count < 0 or count > 20 then
    return nil, "webhook retries are a number from 0 to 20"
  end
  return math.floor(count)
end

local function configure(command)
  command:option("--host", "Address to listen on.", "127.0.0.1")
  local port_help = ("Port to listen on; 0: any free one. Default: %d, or any free one when that is taken.")
    :format(usual_port)
  command:option("--port", port_help):convert(serving.check_port)
  command:flag("--tls", "Speak TLS, with a certificate made for this machine.")
  command:option("--certificates", "Directory where ca.pem is kept; default: removed at the end.")
  command:option("--api-key", "API key that clients must use.", "sandbox-key")
  command:option("--business-id", "Business id that clients must use.", "sandbox-business")
  command:option("--templates", "JSON file with an array of templates to add.")
  command:option("--webhook", "URL that receives the webhooks of all topics from the start.")
  command:option("--webhook-secret", "Secret that signs the webhooks.", "sandbox-secret")
  command:option("--webhook-retries", "Retries of a webhook that was not answered with 200.", "5")
    :convert(check_retries)
  command:flag("--rate-limit", "Answer 429 beyond 200 sends, or 100 asset calls, in any second.")
  command:flag("--magic", "Print the numbers and template names that produce a given error, then exit.")
  command:flag("--http1", "Do not speak HTTP/2.")
  command:flag("--quiet", "Do not print each request.")
end

local function complain(message)
  io.stderr:write("connectly sandbox: ", message, "\n")
  return 1
end

local needed = { "cqueues", "openssl.ssl.context", "http.server", "cjson" }

local function read_file(path)
  local file, reason = io.open(path, "r")
  if not file then
    return nil, reason
  end
  local content = file:read("*a")
  file:close()
  return content
end

local function check_templates(list)
  local check = require("connectly.sandbox.state.templates").check
  for index, template in ipairs(list) do
    local complaint = check(template)
    if complaint then
      return ("number %d: %s"):format(index, complaint)
    end
  end
end

local function read_templates(path)
  local content, reason = read_file(path)
  if not content then
    return nil, reason
  end
  local list, complaint = require("connectly.sandbox.http.json").decode(content)
  if type(list) ~= "table" then
    return nil, path .. ": " .. (complaint or "an array of templates expected")
  end
  complaint = check_templates(list)
  if complaint then
    return nil, path .. ": " .. complaint
  end
  return list
end

local function log_line(line)
  io.stderr:write(line, "\n")
end

local function new_sandbox(arguments, templates, directory, port)
  return require("connectly.sandbox").new({
    api_key = arguments.api_key,
    business_id = arguments.business_id,
    certificates = directory,
    host = arguments.host,
    http1 = arguments.http1,
    log = not arguments.quiet and log_line or nil,
    port = port,
    rate_limit = arguments.rate_limit,
    templates = templates,
    tls = arguments.tls,
    webhook = arguments.webhook,
    webhook_retries = arguments.webhook_retries,
    webhook_secret = arguments.webhook_secret,
  })
end

local function quoted(text)
  return text:find("^[%w%./:_-]+$") and text or "'" .. text:gsub("'", "'\\''") .. "'"
end

local function announce(sandbox)
  local function export(name, value)
    print(("export %s=%s"):format(name, quoted(value)))
  end
  print("listening on " .. sandbox:base_url())
  io.stdout:flush()
  export("CONNECTLY_API_KEY", sandbox.api_key)
  export("CONNECTLY_BUSINESS_ID", sandbox.business_id)
  export("CONNECTLY_BASE_URL", sandbox:base_url())
  if sandbox.ca_file then
    export("CONNECTLY_CA_FILE", sandbox.ca_file)
  end
  export("CONNECTLY_WEBHOOK_SECRET", sandbox.poster.settings.secret)
  io.stdout:flush()
end

local function listen(arguments, templates, directory)
  local sandbox = new_sandbox(arguments, templates, directory, arguments.port or usual_port)
  local ok, reason = sandbox:listen()
  if ok or arguments.port or not tostring(reason):find("in use", 1, true) then
    return ok and sandbox, reason
  end
  -- Without --port, a second sandbox uses a free port.
  if not arguments.quiet then
    log_line(("port %d is taken, so the system picks another"):format(usual_port))
  end
  sandbox = new_sandbox(arguments, templates, directory, 0)
  ok, reason = sandbox:listen()
  return ok and sandbox, reason
end

local function serve(arguments, templates, directory)
  local sandbox, reason = listen(arguments, templates, directory)
  if not sandbox then
    return complain("cannot listen: " .. tostring(reason))
  end
  serving.close_on_signals(sandbox.server.cq, function() sandbox:close() end)
  announce(sandbox)
  sandbox:run()
  return 0
end

local function serve_with_certificates(arguments, templates)
  if not arguments.tls or arguments.certificates then
    return serve(arguments, templates, arguments.certificates)
  end
  local certificate = require "connectly.sandbox.http.certificate"
  local directory = certificate.temporary_directory()
  local code = serve(arguments, templates, directory)
  certificate.remove(directory)
  return code
end

local function complaint_about_webhook(arguments)
  if not arguments.webhook then
    return nil
  end
  local _, reason = require("connectly.sandbox.check.address").parse(arguments.webhook)
  return reason and "webhook: " .. reason
end

local function run(arguments)
  if arguments.magic then
    print(require("connectly.sandbox.state.magic").text())
    return 0
  end
  local missing = serving.missing_module(needed)
  if missing then
    return complain(("no module %s: install it with: luarocks install http lua-cjson"):format(missing))
  end
  local complaint = complaint_about_webhook(arguments)
  if complaint then
    return complain(complaint)
  end
  local templates, reason
  if arguments.templates then
    templates, reason = read_templates(arguments.templates)
    if not templates then
      return complain(reason)
    end
  end
  return serve_with_certificates(arguments, templates)
end

return {
  summary = "Run a local stand-in for the API, for tests and demos.",
  configure = configure,
  run = run,
}
