-- Appends a message to a log and passes it on with its position.
-- KEYS: the messages (a stream with ids SEQUENCE-MILLISECONDS), the state of the log (a hash).
-- ARGV: the run_id of the server, the epoch if the log is new, max_messages, max_age in ms, the channel, the message.

-- Another one once the server has become a primary again, which may happen while links stay connected to it.
local replication = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
local run = ARGV[1] .. ':' .. (replication or '')
local state = redis.call('HMGET', KEYS[2], 'run', 'epoch')
local epoch = state[2]
if state[1] ~= run then
  redis.call('DEL', KEYS[1], KEYS[2])
  epoch = ARGV[2]
  redis.call('HSET', KEYS[2], 'run', run, 'epoch', epoch)
end
local sequence = redis.call('HINCRBY', KEYS[2], 'last', 1)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Up to two per new message, so that each call is short and none stays.
for _ = 1, 2 do
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  if not first or tonumber(string.match(first[1], '%d+$')) > now - ARGV[4] then
    break
  end
  redis.call('XDEL', KEYS[1], first[1])
end
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], string.format('%.0f-%.0f', sequence, now), 'm', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[5], epoch .. struct.pack('>I8', sequence) .. ARGV[6])
