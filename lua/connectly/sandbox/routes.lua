--- Which path and method is answered by what.

local answer = require "connectly.sandbox.answer"
local control = require "connectly.sandbox.control"
local send = require "connectly.sandbox.send"
local decode_segment = require("http.util").decodeURIComponent

local business = "^/v1/businesses/([^/]+)"

--- { method, pattern of the path, handler(sandbox, request, captured...) }
local routes = {
  { "POST", business .. "/send/whatsapp_templated_messages$", send.template },
  { "POST", business .. "/send/messages$", send.session },
  { "GET", "^/_sandbox/health$", control.health },
  { "GET", "^/_sandbox/deliveries$", control.deliveries },
  { "POST", "^/_sandbox/reset$", control.reset },
  { "POST", "^/_sandbox/replies$", control.replies },
  { "POST", "^/_sandbox/inbound$", control.inbound },
  { "POST", "^/_sandbox/templates$", control.templates },
  { "POST", "^/_sandbox/opt_out$", control.opt_out },
  { "POST", "^/_sandbox/clock$", control.clock },
}

local function find(path)
  for _, route in ipairs(routes) do
    local captured = path:match(route[2])
    if captured then
      return route, captured
    end
  end
end

--- Answers any request.
---@param sandbox connectly.sandbox
---@param request connectly.sandbox.request
---@return connectly.sandbox.answer
return function(sandbox, request)
  local route, captured = find(request.path)
  if not route then
    return answer.refuse(404, "no such path in the sandbox")
  elseif request.method ~= route[1] then
    local refused = answer.refuse(405, "method not allowed: use " .. route[1])
    refused.headers.Allow = route[1]
    return refused
  end
  return route[3](sandbox, request, decode_segment(captured))
end
