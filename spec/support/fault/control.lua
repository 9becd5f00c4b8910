--- control.lua - the control port for tests. The head of fault_server.lua lists its requests.

local behaviours = require "spec.support.fault.behaviours"
local cjson = require "cjson.safe"
local http1 = require "spec.support.fault.http1"

local control = {}

-- Path -> function(ledger, request, server) -> a table to send, or nil and what was wrong.
local calls = {}

calls["GET /counts"] = function(ledger)
  return ledger:counts()
end

calls["GET /counts?bodies=no"] = function(ledger)
  local counts = ledger:counts()
  counts.bodies, counts.targets = nil, nil
  return counts
end

calls["GET /arrivals"] = function(ledger)
  return { arrivals = ledger.arrivals }
end

calls["GET /behaviours"] = function()
  return behaviours.list()
end

calls["POST /reset"] = function(ledger)
  ledger:reset()
  return { ok = true }
end

calls["POST /arm"] = function(ledger, request)
  local wish = cjson.decode(request.body)
  local name = type(wish) == "table" and wish.behaviour
  local place = type(name) == "string" and behaviours.place(name)
  if not place then
    return nil, "no such behaviour"
  end
  ledger:arm(place, name, wish.times or 1, wish.seconds)
  return { ok = true, waits_for = place }
end

calls["POST /resume"] = function(ledger)
  ledger:resume()
  return { ok = true }
end

calls["POST /swallow"] = function(_, request, server)
  return { frozen = server.relay:swallow(cjson.decode(request.body).seconds) }
end

calls["POST /delay"] = function(_, request, server)
  server.relay.delay = cjson.decode(request.body).seconds
  return { ok = true }
end

calls["POST /freeze"] = function(_, _, server)
  return { frozen = server.relay:freeze() }
end

calls["POST /away"] = function(_, request, server)
  local wish = cjson.decode(request.body) or {}
  if wish.seconds == 0 then
    server.outage:finish()
  else
    server.outage:start(tonumber(wish.seconds))
  end
  return { ok = true }
end

local function answer(server, request)
  local call = calls[request.method .. " " .. request.path]
  if not call then
    return 404, { error = "no such call" }
  end
  local result, problem = call(server.ledger, request, server)
  return result and 200 or 400, result or { error = problem }
end

local function send(peer, status, fields)
  local body = cjson.encode(fields)
  local head = "HTTP/1.1 %d Control\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
  return peer:write(head:format(status, #body) .. body)
end

function control.serve(peer, server)
  for request in http1.read_head, peer do
    request.body = http1.read_body(peer, request)
    if not request.body or not send(peer, answer(server, request)) then
      return
    end
  end
end

return control
