export * from 'ferronet';
export { Socket as Other, type AddressInfo as Info } from 'ferronet';
