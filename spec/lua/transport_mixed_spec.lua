-- One name leads to a server of HTTP/2 and to one of HTTP/1.1, as while HTTP/2 is rolled
-- out behind a balancer. libcurl 7.88 to 8.2 then writes several requests at once on a
-- connection of HTTP/1.1, and takes the reply to one for another's.

local transport = require "spec.support.transport"

-- More than the streams of one connection.
local COUNT, IN_FLIGHT = 600, 300

describe("servers of two protocols behind one name", function()
  local server = transport.serve()

  --- Each message has a number of its own, which the server gives back as the id.
  local function messages()
    local list = {}
    for index = 1, COUNT do
      list[index] = transport.message(index)
      list[index].number = ("+1415%07d"):format(index)
    end
    return list
  end

  for _, port in ipairs { "mixed", "mixed1" } do
    for _, mode in ipairs { "inline", "worker" } do
      it(("give each message its own reply: %s, %s"):format(port, mode), function()
        local client = transport.client(server, port, "slow-echo-number-50", { timeout = 30, max_in_flight = IN_FLIGHT })
        transport.prepare(client, mode)
        local list, count = messages(), 0
        for result in client:send_many(list, { in_flight = IN_FLIGHT }) do
          assert(result.id, tostring(result.error))
          assert(result.id:find(list[result.index].number, 1, true), result.index .. ": " .. result.id)
          count = count + 1
        end
        client:close(0)
        assert.equal(COUNT, count)
        local accepted = server:last_tally().accepted
        for index = 1, COUNT do
          assert.equal(1, accepted[tostring(index)])
        end
      end)
    end
  end
end)
