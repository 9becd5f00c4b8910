--- connectly webhook verify: checks whether a signature matches a body and the secret.

local MAX_BODY = 16 * 1024 * 1024

local function configure(command)
  command:epilog("Reads the body from standard input, byte for byte; exit status 0 when the signature is good, else 1.")
  command:option("--signature", "What the header x-connectly-hmac-sha256 held."):count(1)
end

--- Returns the usual cause of a mismatch with a saved body, or nil.
local function hint(webhook, body, signature)
  local without = body:match("^(.*[^\n\r])\r?\n$")
  if without and webhook:verify(without, signature) then
    return "it would be without the newline at the body's end: give the body as it came"
  elseif body == "" then
    return "no body came on standard input"
  end
end

local function run(arguments, secret)
  local body = io.stdin:read(MAX_BODY + 1) or ""
  if #body > MAX_BODY then
    return nil, ("the body has more than %d bytes"):format(MAX_BODY)
  end
  local webhook = require("connectly.webhook").new { secret = secret }
  if webhook:verify(body, arguments.signature) then
    print("the signature is good")
    return 0
  end
  print("the signature is not of this body and this secret")
  local problem = hint(webhook, body, arguments.signature)
  if problem then
    print(problem)
  end
  return 1
end

return { summary = "Check a signature.", configure = configure, run = run }
