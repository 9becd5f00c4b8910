---The event loops a client can be attached to, each loaded when it is asked for:
---connectly.loop.luv.attach(client), and so .cqueues and .copas.

local LOOPS = { copas = true, cqueues = true, luv = true }

return setmetatable({}, {
  __index = function(self, name)
    if LOOPS[name] then
      self[name] = require("connectly.loop." .. name)
    end
    return rawget(self, name)
  end,
})
