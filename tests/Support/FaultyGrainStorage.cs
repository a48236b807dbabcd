using Microsoft.Extensions.DependencyInjection;

using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;

namespace DataHub.Support;

/// <summary>A storage of grains' state with faults before it.</summary>
internal sealed class FaultyGrainStorage(IGrainStorage inner, StoreFaults? faults = null) : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    public StoreFaults Faults { get; } = faults ?? new();

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Faults.RunAsync(nameof(ReadStateAsync), () => inner.ReadStateAsync(stateName, grainId, grainState));

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        UnlearntAsync(nameof(WriteStateAsync), grainState, () => inner.WriteStateAsync(stateName, grainId, grainState));

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        UnlearntAsync(nameof(ClearStateAsync), grainState, () => inner.ClearStateAsync(stateName, grainId, grainState));

    public void Participate(ISiloLifecycle observer) => (inner as ILifecycleParticipant<ISiloLifecycle>)?.Participate(observer);

    /// <summary>An activation whose answer was lost has not learnt the new version either.</summary>
    private async Task UnlearntAsync<T>(string method, IGrainState<T> grainState, Func<Task> call)
    {
        var (version, exists) = (grainState.ETag, grainState.RecordExists);
        try
        {
            await Faults.RunAsync(method, call);
        }
        catch (StoreFaultException)
        {
            (grainState.ETag, grainState.RecordExists) = (version, exists);
            throw;
        }
    }
}

internal static class FaultyGrainStorageExtensions
{
    /// <summary>Puts faults before the storage that was registered under this name.</summary>
    public static ISiloBuilder AddGrainStorageFaults(this ISiloBuilder builder, string name, StoreFaults faults)
    {
        var registered = builder.Services.Last(s => s.ServiceType == typeof(IGrainStorage) && Equals(s.ServiceKey, name));
        builder.Services.Remove(registered);
        builder.Services.AddKeyedSingleton<IGrainStorage>(name, (services, key) => new FaultyGrainStorage(
            (IGrainStorage)(registered.KeyedImplementationInstance
                ?? registered.KeyedImplementationFactory?.Invoke(services, key)
                ?? ActivatorUtilities.CreateInstance(services, registered.KeyedImplementationType!)),
            faults));
        return builder;
    }
}
