---Features for nginx with its Lua module: OpenResty, or Debian's libnginx-mod-http-lua.

local openresty = {}

---Creates a content handler that receives webhooks.
---@param options connectly.openresty.WebhookOptions
---@return fun() handler for content_by_lua
function openresty.webhook(options)
  if not rawget(_G, "ngx") then
    error("connectly.openresty is for nginx; elsewhere use connectly.webhook", 2)
  end
  return require("connectly.openresty.webhook")(options)
end

return openresty
