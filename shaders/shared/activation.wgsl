// The activation and its derivatives; the numbers are those of `network::Activation`.

struct Rate {
    r: f32,
    d: f32,
    d2: f32,
}

// Series below 0.25, where 1 - e^(-2|u|) would cancel; its first omitted term is below 1e-8 there. Above, from e^(-2|u|), which never
// overflows. The built-in tanh is off by 7e-5 near 0 on some drivers.
fn tanh_of(u: f32) -> f32 {
    let size = abs(u);
    if (size < 0.25) {
        let q = u * u;
        return u * (1.0 + q * (-0.33333333 + q * (0.13333333 + q * (-0.05396825 + q * 0.02186949))));
    }
    let e = exp(-2.0 * size);
    let t = (1.0 - e) / (1.0 + e);
    return select(t, -t, u < 0.0);
}

// ln(1 + e) for 0 <= e <= 1 as 2 artanh(s), s = e / (2 + e) <= 1/3: accurate for small e too; the first omitted term is below 2e-9 of the sum.
fn log_1p(e: f32) -> f32 {
    let s = e / (2.0 + e);
    let q = s * s;
    let high = 0.11111111 + q * (0.09090909 + q * (0.07692308 + q * 0.06666667));
    return 2.0 * s * (1.0 + q * (0.33333333 + q * (0.2 + q * (0.14285714 + q * high))));
}

// The threshold of short-term depression; how it is written without cancellation stands in `network::Activation`.
fn depression(u: f32, a: f32, d: f32) -> Rate {
    if (u < 0.0) { return Rate(0.0, 0.0, 0.0); }
    let unit = 1.0 / d;
    let v = u - (1.0 + a) / d;
    let p = v + 2.0 * unit;
    let bend = 2.0 * a * unit * unit;
    let s = sqrt(p * p + bend + bend);
    var r = 0.5 * (v + s);
    if (v < 0.0) { r = 2.0 * u * unit / (s - v); }
    return Rate(r, (r + unit) / s, bend / (s * s * s));
}

// shape_a, shape_d: parameters of `depression`, of no meaning for the others.
fn activation(kind: u32, u: f32, shape_a: f32, shape_d: f32) -> Rate {
    switch kind {
        case 0u: {
            // sigmoid, from e^(-|u|): neither overflow nor cancellation in 1 - r
            let e = exp(-abs(u));
            let small = e / (1.0 + e);
            let large = 1.0 / (1.0 + e);
            let r = select(small, large, u >= 0.0);
            let q = select(large, small, u >= 0.0);
            let d = r * q;
            return Rate(r, d, d * (q - r));
        }
        case 1u: {
            // hard sigmoid; comparisons, since min and max would hide a NaN
            if (u < 0.0) { return Rate(0.0, 0.0, 0.0); }
            if (u > 1.0) { return Rate(1.0, 0.0, 0.0); }
            return Rate(u, select(0.0, 1.0, is_finite(u)), 0.0);
        }
        case 2u: {
            // ReLU, slope 0 at 0
            if (u <= 0.0) { return Rate(0.0, 0.0, 0.0); }
            return Rate(u, 1.0, 0.0);
        }
        case 4u: {
            // tanh
            let r = tanh_of(u);
            let d = 1.0 - r * r;
            return Rate(r, d, -2.0 * r * d);
        }
        case 5u: {
            // softplus; its slope is the sigmoid
            let e = exp(-abs(u));
            let small = e / (1.0 + e);
            let large = 1.0 / (1.0 + e);
            return Rate(select(0.0, u, u >= 0.0) + log_1p(e), select(small, large, u >= 0.0), small * large);
        }
        case 6u: { return depression(u, shape_a, shape_d); }
        default: {
            return Rate(u, 1.0, 0.0);
        }
    }
}
