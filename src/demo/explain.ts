export { dismissButton, explain, hideNotice, showNotice, type Explanation } from '../elements/explain.ts'
