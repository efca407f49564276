/** Lets a loop sleep until something announces itself, or a time has passed. */
export interface Wake {
  /** Ends the sleep, or the next one if none is going on. */
  now: () => void;
  sleep(ms: number): Promise<void>;
}

export function createWake(): Wake {
  let woken = false;
  let end: () => void = () => undefined;
  return {
    now: () => {
      woken = true;
      end();
    },
    sleep: async (ms) => {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      woken = false;
    },
  };
}
