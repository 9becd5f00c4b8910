-- Parses the times in webhooks: Unix seconds as a number or as text, and ISO 8601 in reports.
-- API: webhooks, common parts.

local SECONDS_A_DAY = 86400

--- Returns the days since 1970-01-01. Years begin in March, so that a leap day is the last day of one.
local function days(year, month, day)
  local from_march = (month + 9) % 12
  local years = year - (month < 3 and 1 or 0)
  local leap_days = math.floor(years / 4) - math.floor(years / 100) + math.floor(years / 400)
  return 365 * years + leap_days + math.floor((153 * from_march + 2) / 5) + day - 719469
end

--- Returns the seconds to subtract for a zone (Z, +02:00, -0330); nil when it is invalid.
local function offset(zone)
  if zone == "Z" or zone == "z" then
    return 0
  end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d%d)$")
  return sign and (sign == "-" and -1 or 1) * (hours * 3600 + minutes * 60)
end

local function read_iso(text)
  local year, month, day, hour, minute, rest = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(.+)$")
  local second, zone = (rest or ""):match("^(%d%d%.?%d*)(.+)$")
  local away = zone and offset(zone)
  if not away or tonumber(month) < 1 or tonumber(month) > 12 then
    return nil
  end
  return days(tonumber(year), tonumber(month), tonumber(day)) * SECONDS_A_DAY + hour * 3600 + minute * 60
    + tonumber(second) - away
end

local time = {}

--- Returns Unix seconds, or nil when the value is not a time.
---@param value any
---@return number?
function time.read(value)
  if type(value) == "string" then
    value = value:find("^%-?%d+%.?%d*$") and tonumber(value) or read_iso(value)
  end
  if type(value) ~= "number" or value - value ~= 0 then
    return nil
  end
  -- Whole seconds are an integer on a Lua that has them.
  return value % 1 == 0 and math.floor(value) or value
end

return time
