import { getCurrentScope } from '@vue/reactivity'

// What the recipe of docs/frameworks.md takes of Vue: its store, and of components when their hooks are called.

export { onScopeDispose, shallowRef } from '@vue/reactivity'

const mounted: (() => void)[] = []

/** As Vue's: the hook is called in the scope of its component, in a browser alone. */
export function onMounted(hook: () => void): void {
  const scope = getCurrentScope()
  mounted.push(() => scope?.run(hook))
}

/** Mounts the components that have been set up. */
export function mount(): void {
  for (const call of mounted.splice(0)) call()
}
