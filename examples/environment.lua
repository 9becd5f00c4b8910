-- Shared by the examples: the options of their client, and the recipient.
--
-- Your own program needs none of this. `connectly.new {}` reads the key, the business id
-- and the base URL from the environment. To trust a certificate file, such as the ca.pem
-- of a sandbox with TLS, pass it as the option `ca_file`.

local connectly = require "connectly.safe"

-- The defaults of `connectly sandbox`.
local sandbox = {
  base_url = "http://127.0.0.1:8077", api_key = "sandbox-key", business_id = "sandbox-business",
  connect_timeout = 2, max_attempts = 1,
}
local example_number = "+14155550123" -- made up; a sandbox delivers nothing

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function leave(message)
  io.stderr:write(message, "\n")
  os.exit(1)
end

-- Any HTTP status means that the server is up, even an error. Another program that holds the
-- port may accept the connection and never reply, so this request has a short time limit.
local function is_up(options)
  local probe = { timeout = 2 }
  for name, value in pairs(options) do
    probe[name] = value
  end
  local client = connectly.new(probe)
  local reply, err = client:request { method = "GET", path = "/webhooks" }
  client:close()
  return reply ~= nil or err.status ~= nil
end

local number = arg[1] or variable "CONNECTLY_TO"

if variable "CONNECTLY_API_KEY" then
  if not number then
    leave(("To whom? Give a number, or set CONNECTLY_TO: %s +16045550123"):format(arg[0]))
  end
  return { ca_file = variable "CONNECTLY_CA_FILE" }, number
end

if not is_up(sandbox) then
  leave(("CONNECTLY_API_KEY is not set, and no sandbox answers at %s. Start one in another terminal: connectly sandbox")
    :format(sandbox.base_url))
end
print(("CONNECTLY_API_KEY is not set: this goes to the sandbox at %s."):format(sandbox.base_url))
return sandbox, number or example_number
