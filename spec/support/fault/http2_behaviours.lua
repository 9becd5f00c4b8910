--- http2_behaviours.lua - faults that only HTTP/2 has; rows of the tables described in
--- behaviours.lua.

local cqueues = require "cqueues"
local replies = require "spec.support.fault.replies"

local NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL = 0, 2, 7, 8

local function reset_stream(stage, code)
  return { only = "http2", stage = stage, resets = true, run = function(exchange) exchange:reset_stream(code) end }
end

local function end_at_streams(ending)
  return function(count)
    return { only = "http2", waits = true, run = function(exchange)
      if exchange:wait_for_streams(count) then
        exchange[ending](exchange)
      end
    end }
  end
end

local requests, families, connections = {}, {}, {}

requests["refused-stream"] = reset_stream("head", REFUSED_STREAM)

-- Says by its code that nothing was done, so libcurl sends it again unasked.
requests["refused-stream-after-request"] = reset_stream("body", REFUSED_STREAM)
requests["refused-stream-after-request"].refuses = true

-- The code says that nothing was done, and the message was acted on all the same: a
-- balancer whose backend dies with the request in it.
requests["refused-stream-acted-on"] = reset_stream("body", REFUSED_STREAM)

requests["cancel-stream"] = reset_stream("body", CANCEL)
requests["cancel-stream-after-head"] = reset_stream("head", CANCEL)
requests["broken-stream"] = reset_stream("body", INTERNAL_ERROR)

-- The stream is above the last one that the server promises to look at.
requests["goaway-before-stream"] = { only = "http2", stage = "head", run = function(exchange)
  exchange:goaway(math.max(0, exchange.id - 2), NO_ERROR)
  exchange:close()
end }

requests["goaway-after-request"] = { only = "http2", run = function(exchange)
  exchange:goaway(exchange.id, NO_ERROR)
  exchange:close()
end }

requests["goaway-error-after-request"] = { only = "http2", run = function(exchange)
  exchange:goaway(exchange.id, INTERNAL_ERROR)
  exchange:close()
end }

requests["goaway-then-reply"] = { only = "http2", run = function(exchange)
  exchange:goaway(exchange.id, NO_ERROR)
  exchange:reply(replies.ok())
  exchange:close()
end }

-- From this request on, a second stream at the same time is refused.
requests["one-stream-at-a-time"] = { only = "http2", run = function(exchange)
  exchange:limit_streams(1)
  cqueues.sleep(0.02)
  exchange:reply(replies.ok())
end }

families["close-at-streams"] = end_at_streams("close")
families["reset-at-streams"] = end_at_streams("reset")

connections["goaway-at-start"] = { stage = "preface", only = "http2", run = function(connection)
  connection:goaway(0, NO_ERROR)
  connection:close()
end }

connections["one-stream-from-start"] = { stage = "preface", only = "http2", run = function(connection)
  connection:limit_streams(1)
end }

return { requests = requests, families = families, connections = connections }
