---The event loops to which a client can be attached; each module is loaded on first use:
---connectly.loop.luv.attach(client), and likewise .cqueues and .copas.

local LOOPS = { copas = true, cqueues = true, luv = true }

return setmetatable({}, {
  __index = function(self, name)
    if LOOPS[name] then
      self[name] = require("connectly.loop." .. name)
    end
    return rawget(self, name)
  end,
})
