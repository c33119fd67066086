export { chevron, icon, setIcon, type IconName } from '../elements/icon.ts'
