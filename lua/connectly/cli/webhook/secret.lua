--- Reads the webhook secret from a file or the environment. It is no command-line option,
--- because other users can read the arguments of a process.

local VARIABLE = "CONNECTLY_WEBHOOK_SECRET"
local MAX = 65536 -- bytes

local secret = {}

local function read(path)
  local file, reason = io.open(path, "rb")
  local content = file and file:read(MAX + 1)
  if file then
    file:close()
  end
  if not content then
    return nil, "cannot read the secret: " .. (reason or path .. ": it is empty")
  elseif #content > MAX then
    return nil, "cannot read the secret: " .. path .. ": it is too long"
  end
  -- Remove the trailing newline that editors add.
  return (content:gsub("\r?\n$", ""))
end

---@param path string?
---@return string? secret
---@return string? problem
function secret.find(path)
  local found, problem = os.getenv(VARIABLE), nil
  if path then
    found, problem = read(path)
  end
  if found and found ~= "" then
    return found
  end
  return nil, problem or (path and "the secret's file is empty") or ("set %s, or give --secret-file"):format(VARIABLE)
end

return secret
