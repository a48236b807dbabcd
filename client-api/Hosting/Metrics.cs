using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace DataHub.Hosting;

/// <summary><c>/metrics</c>: the process's instruments as Prometheus text (exposition format 0.0.4).</summary>
/// <remarks>Counters and histograms are kept from the start; gauges are asked when somebody reads. Each instrument has at most 500 label sets; what goes beyond is counted, not kept.</remarks>
internal sealed class Metrics(IMeterFactory meters) : IHostedService, IDisposable
{
    private const int MaxSeries = 500;
    private const string Dropped = "datahub_metrics_dropped_total";

    private static readonly double[] s_buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    // Orleans and the HTTP client have hundreds of instruments more; these say what an operator needs.
    private static readonly string[] s_meters = ["DataHub", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime"];

    private readonly ConcurrentDictionary<Instrument, Family> _families = new();
    private readonly MeterListener _listener = new();
    private long _dropped;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Another hub in the same process has instruments of the same names.
            if (instrument.Meter.Scope is { } scope && scope != meters) return;
            if (s_meters.Contains(instrument.Meter.Name, StringComparer.Ordinal)) listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument, i => new(i)));
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Record(state, value, tags));
        _listener.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapRead("/metrics", (Metrics metrics) => TypedResults.Content(metrics.Render(), "text/plain; version=0.0.4; charset=utf-8"))
        .WithTags("Operations").WithSummary("The process's metrics as Prometheus text.").Produces<string>(StatusCodes.Status200OK, "text/plain");

    public void Dispose() => _listener.Dispose();

    private string Render()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder(16_384);
        foreach (var family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal)) family.Render(text);
        text.Append("# TYPE ").Append(Dropped).Append(" counter\n").Append(Dropped).Append(' ').Append(Interlocked.Read(ref _dropped)).Append('\n');
        return text.ToString();
    }

    private void Record(object? state, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (state is Family family && !family.Record(value, tags)) Interlocked.Increment(ref _dropped);
    }

    /// <summary>All label sets of one instrument.</summary>
    private sealed class Family
    {
        private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], Series> _series = new(Tags.Comparer);
        private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], Series>.AlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>> _byTags;
        private readonly string? _help;
        private readonly bool _isHistogram, _isAbsolute;
        private readonly string _type;

        public Family(Instrument instrument)
        {
            var kind = instrument.GetType().GetGenericTypeDefinition();
            _isHistogram = kind == typeof(Histogram<>);
            _isAbsolute = kind == typeof(ObservableCounter<>) || kind == typeof(ObservableGauge<>) || kind == typeof(ObservableUpDownCounter<>) || kind == typeof(Gauge<>);
            var isCounter = kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>);
            _type = _isHistogram ? "histogram" : isCounter ? "counter" : "gauge";
            _help = instrument.Description?.ReplaceLineEndings(" ").Replace("\\", "\\\\", StringComparison.Ordinal);
            _byTags = _series.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>();
            Name = Word(instrument.Name) + (instrument.Unit is "s" ? "_seconds" : instrument.Unit is "By" ? "_bytes" : "") + (isCounter ? "_total" : "");
        }

        public string Name { get; }

        public bool Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (!_byTags.TryGetValue(tags, out var series))
            {
                if (_series.Count >= MaxSeries) return false;
                series = _series.GetOrAdd(tags.ToArray(), own => new(Labels(own), _isHistogram ? new long[s_buckets.Length] : null));
            }

            series.Record(value, _isAbsolute);
            return true;
        }

        public void Render(StringBuilder text)
        {
            if (_series.IsEmpty) return;
            if (_help is not null) text.Append("# HELP ").Append(Name).Append(' ').Append(_help).Append('\n');
            text.Append("# TYPE ").Append(Name).Append(' ').Append(_type).Append('\n');
            foreach (var series in _series.Values.OrderBy(series => series.Labels, StringComparer.Ordinal)) series.Render(text, Name);
        }

        private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.IsEmpty) return "";
            var text = new StringBuilder();
            foreach (var (name, value) in tags)
            {
                if (text.Length > 0) text.Append(',');
                text.Append(Word(name)).Append("=\"");
                foreach (var c in Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
                {
                    _ = c switch
                    {
                        '\\' => text.Append("\\\\"),
                        '"' => text.Append("\\\""),
                        '\n' => text.Append("\\n"),
                        _ => text.Append(c),
                    };
                }

                text.Append('"');
            }

            return text.ToString();
        }

        private static string Word(string name)
        {
            var word = name.ToCharArray();
            for (var i = 0; i < word.Length; i++)
            {
                if (!char.IsAsciiLetterOrDigit(word[i])) word[i] = '_';
            }

            return new(word);
        }
    }

    /// <summary>Finds label sets by the tags of a measurement, which are made into text only once.</summary>
    private sealed class Tags : IEqualityComparer<KeyValuePair<string, object?>[]>, IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, KeyValuePair<string, object?>[]>
    {
        public static readonly Tags Comparer = new();

        public bool Equals(KeyValuePair<string, object?>[]? x, KeyValuePair<string, object?>[]? y) => Equals(x.AsSpan(), y!);

        public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, KeyValuePair<string, object?>[] other)
        {
            if (alternate.Length != other.Length) return false;
            for (var i = 0; i < other.Length; i++)
            {
                if (alternate[i].Key != other[i].Key || !object.Equals(alternate[i].Value, other[i].Value)) return false;
            }

            return true;
        }

        public int GetHashCode(KeyValuePair<string, object?>[] tags) => GetHashCode(tags.AsSpan());

        public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
        {
            var hash = 0;
            foreach (var (_, value) in alternate) hash = (hash * 31) + (value?.GetHashCode() ?? 0);
            return hash;
        }

        public KeyValuePair<string, object?>[] Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => alternate.ToArray();
    }

    private sealed class Series(string labels, long[]? buckets)
    {
        private readonly Lock _gate = new();
        private double _sum;
        private long _count;

        public string Labels => labels;

        public void Record(double value, bool isAbsolute)
        {
            lock (_gate)
            {
                _sum = isAbsolute ? value : _sum + value;
                _count++;
                if (buckets is null) return;
                for (var i = 0; i < s_buckets.Length; i++)
                {
                    if (value > s_buckets[i]) continue;
                    buckets[i]++;
                    return;
                }
            }
        }

        public void Render(StringBuilder text, string name)
        {
            lock (_gate)
            {
                if (buckets is null)
                {
                    Line(text, name, labels, _sum);
                    return;
                }

                var (prefix, below) = (labels.Length == 0 ? "" : labels + ",", 0L);
                for (var i = 0; i < s_buckets.Length; i++)
                {
                    below += buckets[i];
                    Line(text, name + "_bucket", $"{prefix}le=\"{s_buckets[i].ToString(CultureInfo.InvariantCulture)}\"", below);
                }

                Line(text, name + "_bucket", prefix + "le=\"+Inf\"", _count);
                Line(text, name + "_sum", labels, _sum);
                Line(text, name + "_count", labels, _count);
            }
        }

        private static void Line(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
            text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        }
    }
}
