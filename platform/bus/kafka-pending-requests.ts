import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/**
 * After each answer kafkajs looks through the requests that wait on that connection, and then sets a timer to look again, also
 * where none waits; unless the broker throttles us its delay is negative, so one millisecond. Every connection would
 * look a thousand times a second for as long as it lives, and the process would never sleep for longer. Here it looks again
 * only while something waits.
 *
 * kafkajs 2.2.4, `src/network/requestQueue/index.js`; its issue 1751 has the warning of Node 24 about the negative delay.
 */
const { prototype } = RequestQueue
const schedule = prototype.scheduleCheckPendingRequests
prototype.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0) schedule.call(this)
}
