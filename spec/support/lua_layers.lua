-- Checks which modules of lua/connectly require which, against the table below.
--
--   lua spec/support/lua_layers.lua
--
-- A group is a folder, or a file beside the folders. A module may require those of its own
-- group and of the groups named here; `folder.module` names one module alone.

local MAY_REQUIRE = {
  version = {}, options = {}, private = {}, loader = { "native" },
  json = { "loader" },
  errors = { "json", "loader" },
  template = { "errors", "json", "loader", "options" },
  webhook = { "errors", "json", "loader", "options", "private" },
  limiter = { "errors", "loader", "private" },
  openresty = { "errors", "loader", "options", "webhook" },
  client = { "errors", "json", "loader", "options", "openresty.host", "private", "template", "webhook.status_rank" },
  loop = { "client", "loader" },
  connectly = { "client", "errors", "loader" },
  safe = { "client", "connectly" },
  ["sandbox.http"] = { "loader" },
  ["sandbox.state"] = { "loader", "sandbox.check.shape" },
  ["sandbox.check"] = { "loader", "sandbox.http.problem", "sandbox.state.magic" },
  ["sandbox.webhooks"] = { "loader", "sandbox.check", "sandbox.http" },
  ["sandbox.api"] = { "loader", "sandbox.check", "sandbox.http", "sandbox.state", "sandbox.webhooks" },
  sandbox = { "sandbox.api", "sandbox.check", "sandbox.http", "sandbox.state", "sandbox.webhooks" },
  cli = { "client.campaign_chunks", "connectly", "errors", "json", "loader", "safe", "sandbox", "sandbox.check",
    "sandbox.http", "sandbox.state", "version", "webhook" },
}

-- Written for editors; no module requires it.
local OWN = "lua/connectly/types.lua"

--- "connectly.sandbox.api.send" as "sandbox.api.send"; the library itself is "connectly".
local function short(module)
  return module == "connectly" and module or (module:gsub("^connectly%.", ""))
end

local function group_of(module)
  return module:match("^sandbox%.[%w_]+") and MAY_REQUIRE[module:match("^sandbox%.[%w_]+")]
    and module:match("^sandbox%.[%w_]+") or module:match("^[%w_]+")
end

local function is_allowed(from, to)
  if group_of(from) == group_of(to) then
    return true
  end
  for _, name in ipairs(MAY_REQUIRE[group_of(from)] or {}) do
    if name == to or name == group_of(to) then
      return true
    end
  end
  return false
end

--- Calls `take` with each module that a file requires, at its head or later.
local function each_required(path, take)
  for line in io.lines(path) do
    local code = line:gsub("^%s*%-%-.*", "")
    if code:find("require") or code:find("parts%.load") then
      for module in code:gmatch("[\"'](connectly[%w_.]*[%w_])[\"']") do
        take(short(module))
      end
    end
  end
end

local function module_of(path)
  return short((path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")))
end

local faults = 0
local function fault(text)
  faults = faults + 1
  io.stderr:write("layers: ", text, "\n")
end

local listing = assert(io.popen("find lua/connectly -name '*.lua' | LC_ALL=C sort"))
for path in listing:lines() do
  local from = module_of(path)
  if path ~= OWN and not MAY_REQUIRE[group_of(from)] then
    fault(path .. " belongs to no group of spec/support/lua_layers.lua")
  end
  each_required(path, function(to)
    if not is_allowed(from, to) then
      fault(("%s may not require connectly.%s"):format(path, to))
    end
  end)
end
listing:close()
os.exit(faults == 0 and 0 or 1)
