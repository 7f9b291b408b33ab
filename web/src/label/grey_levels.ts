/** The grey level of every pixel of an image, loaded when it is first asked for. */

import { getMap, imagePath } from "../api";

export class GreyLevels {
  data: Uint8Array | null = null;
  private loading: Promise<void> | null = null;

  constructor(private name: string) {}

  /** Fails if the server does not give them; the next call tries again. */
  load(): Promise<void> {
    this.loading ??= getMap(`${imagePath(this.name)}/grey`).then(
      ({ data }) => void (this.data = data),
      (error: unknown) => {
        this.loading = null;
        throw error;
      },
    );
    return this.loading;
  }
}
