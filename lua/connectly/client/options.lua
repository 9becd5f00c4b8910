-- The options of connectly.new that Lua reads itself; the C core reads the others.

local errors = require "connectly.errors"
local parts = require "connectly.client.parts"

---@class connectly.Options
---@field api_key string? default: CONNECTLY_API_KEY
---@field business_id string? default: CONNECTLY_BUSINESS_ID
---@field base_url string? default: CONNECTLY_BASE_URL, else https://api.connectly.ai; http:// only for loopback
---@field sender string? default sender, E.164
---@field timeout number? seconds for a whole call, retries included; default 30
---@field connect_timeout number? seconds for name resolution, TCP connection and TLS handshake; default 5
---@field max_attempts integer? attempts per call that may be retried; no limit during an outage; default 3
---@field rate number? requests in any second; default 200
---@field max_in_flight integer? calls in flight; default 64
---@field max_connections integer? open connections; default 16
---@field max_connection_age number? seconds after which a connection takes no new requests; default 300
---@field ca_file string? CA certificates to trust instead of those of the system and the environment
---@field ca_path string? the same as a hashed directory, or several separated by ":"
---@field proxy string? default: https_proxy and related environment variables
---@field proxy_ca_file string? CA certificates to trust for an https:// proxy; default: those for the API
---@field proxy_ca_path string? the same as a hashed directory
---@field http2 boolean? use HTTP/2 where the server supports it; default true
---@field retry_unknown boolean? deliver at least once instead of at most once; default false
---@field limiter connectly.Limiter? shared with other processes; see connectly.limiter
---@field on_event fun(event: connectly.Event)? called for each event, such as the start and end of a call
---@field status_store any the store that the webhook handler feeds, for wait_delivery

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

--- Returns the error of the first wrong option, or nil.
---@param given connectly.Options
---@return connectly.Error?
function options.refuse(given)
  return refuse_on_event(given.on_event) or refuse_limiter(given.limiter) or refuse_store(given.status_store)
end

return options
