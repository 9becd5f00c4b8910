--- connectly webhook: tests a webhook handler and its secret. Each action is a module
--- { summary, configure, run }.

local actions = { "listen", "trigger", "verify" }

local function module_of(action)
  return require("connectly.cli.webhook." .. action)
end

local function configure(command)
  command:command_target("action")
  command:require_command(true)
  for _, name in ipairs(actions) do
    local module = module_of(name)
    local action = command:command(name, module.summary)
    action:option("--secret-file", "File with the webhook secret; default: what CONNECTLY_WEBHOOK_SECRET holds.")
    module.configure(action)
  end
end

local function complain(action, problem)
  io.stderr:write(("connectly webhook %s: %s\n"):format(action, problem))
  return 1
end

local function run(arguments)
  local is_loaded, problem = pcall(require, "connectly.webhook")
  if not is_loaded then
    return complain(arguments.action, tostring(problem):match("^[^\n]*"))
  end
  local secret, missing = require("connectly.cli.webhook.secret").find(arguments.secret_file)
  if not secret then
    return complain(arguments.action, missing)
  end
  local code, refusal = module_of(arguments.action).run(arguments, secret)
  return code or complain(arguments.action, refusal)
end

return {
  summary = "Receive, send and check webhooks, to try a handler out.",
  configure = configure,
  run = run,
}
