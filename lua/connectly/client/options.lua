-- The options of connectly.new that Lua reads itself; core reads the others.

local errors = require "connectly.errors"
local parts = require "connectly.client.parts"

---@class connectly.Options
---@field api_key string? default: CONNECTLY_API_KEY
---@field business_id string? default: CONNECTLY_BUSINESS_ID
---@field base_url string? default: CONNECTLY_BASE_URL, else https://api.connectly.ai; http:// only for loopback
---@field sender string? default sender, E.164
---@field timeout number? seconds for all of one call; default 30
---@field connect_timeout number? seconds for the name, the connection and TLS; default 5
---@field max_attempts integer? requests of one call, of what may be repeated, but for an outage; default 3
---@field rate number? requests in any second; default 200
---@field max_in_flight integer? calls at once; default 64
---@field max_connections integer? open at once; default 16
---@field max_connection_age number? seconds after which a connection takes no new requests; default 300
---@field ca_file string? certificates to trust instead of the system's and the environment's
---@field ca_path string? the same as a hashed directory, or several with ":" between them
---@field proxy string? default: https_proxy and its kin
---@field proxy_ca_file string? certificates to trust for an https:// proxy; default: those for the API
---@field proxy_ca_path string? the same as a hashed directory
---@field http2 boolean? where the server has it; default true
---@field retry_unknown boolean? at least once instead of at most once; default false
---@field limiter connectly.Limiter? shared with other processes; see connectly.limiter
---@field on_event fun(event: connectly.Event)? told of each call's start and end
---@field status_store any fed by the webhooks' handler, for wait_delivery

local options = {}

local function refuse_on_event(on_event)
  if on_event ~= nil and type(on_event) ~= "function" then
    return errors.config("on_event", "function expected, got " .. type(on_event))
  end
end

local function refuse_limiter(limiter)
  if limiter ~= nil and (type(limiter) ~= "table" or not limiter.reserve or not limiter.pause) then
    return errors.config("limiter", "one of connectly.limiter expected, got " .. type(limiter))
  end
end

local function refuse_store(store)
  if store == nil then
    return nil
  end
  local wait_delivery, problem = parts.load "connectly.client.wait_delivery"
  if not wait_delivery then
    return problem
  end
  return wait_delivery.refusal(store)
end

--- The error of the first that is wrong, or nil.
---@param given connectly.Options
---@return connectly.Error?
function options.refuse(given)
  return refuse_on_event(given.on_event) or refuse_limiter(given.limiter) or refuse_store(given.status_store)
end

return options
