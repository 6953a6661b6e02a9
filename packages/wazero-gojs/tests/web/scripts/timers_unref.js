// Timers that do not keep the program alive: which run, and what they say of themselves.
const forever = setInterval(() => console.log('never'), 60000)
console.log(forever.hasRef(), forever.unref() === forever, forever.hasRef(), forever.ref() === forever, forever.hasRef())
forever.unref()
setTimeout(() => console.log('nor this'), 5000).unref()
AbortSignal.timeout(5000).onabort = () => console.log('nor this signal')

const back = setTimeout(() => console.log('referenced again'), 300)
back.unref()
back.ref()
setTimeout(() => console.log('in time'), 150).unref()

const kept = setTimeout(() => console.log('refreshed, in time'), 100)
kept.unref()
kept.refresh()
console.log(kept.hasRef())

let ticks = 0
const interval = setInterval(() => {
  ticks += 1
  if (ticks === 2) {
    console.log('two ticks', interval.hasRef())
    clearInterval(interval)
    console.log('cleared', interval.hasRef())
  }
}, 110).unref()

const cleared = setTimeout(() => console.log('cleared'), 1)
clearTimeout(cleared)
console.log(cleared.hasRef(), cleared.unref().hasRef(), cleared.ref().hasRef())

setTimeout(() => {
  const immediate = setImmediate(() => console.log('immediate'))
  console.log(immediate.hasRef(), immediate.unref() === immediate, immediate.hasRef(), immediate.ref().hasRef())
  clearImmediate(immediate)
  console.log(immediate.hasRef())
}, 30)
